// Packs what is published: `node pack.js INTO BINARY`. The package of this machine's platform gets the binary, and the main
// one gets the version of the workspace and its platforms, which npm installs where they fit. CCI_NPM_PLATFORMS names all
// platforms of a release that is packed on several machines, such as "linux-x64 darwin-arm64".
'use strict';

const {execFileSync} = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const [into, binary] = process.argv.slice(2).map(argument => path.resolve(argument));
const here = __dirname;
const manifest = fs.readFileSync(path.join(here, '../../Cargo.toml'), 'utf8');
const version = /^\[workspace\.package\]\n[^[]*?^version = "([^"]+)"/m.exec(manifest)[1];
const main = JSON.parse(fs.readFileSync(path.join(here, 'package.json'), 'utf8'));
const platform = `${process.platform}-${process.arch}`;
const platforms = (process.env.CCI_NPM_PLATFORMS || platform).split(/\s+/);

const stage = fs.mkdtempSync(path.join(os.tmpdir(), 'pack-'));
try {
  pack('main', {...main, version, optionalDependencies: Object.fromEntries(platforms.map(each => [`${main.name}-${each}`, version]))}, folder => {
    for (const part of ['bin', 'lib', 'README.md']) fs.cpSync(path.join(here, part), path.join(folder, part), {recursive: true});
  });
  const name = process.platform === 'win32' ? 'cci.exe' : 'cci';
  const own = {
    name: `${main.name}-${platform}`,
    version,
    description: `The program of ${main.name} for ${platform}`,
    license: main.license,
    os: [process.platform],
    cpu: [process.arch],
    files: ['bin'],
    exports: {'./program': `./bin/${name}`, './package.json': './package.json'},
  };
  pack(platform, own, folder => {
    fs.mkdirSync(path.join(folder, 'bin'));
    fs.copyFileSync(binary, path.join(folder, 'bin', name));
    fs.chmodSync(path.join(folder, 'bin', name), 0o755);
    fs.writeFileSync(path.join(folder, 'README.md'), `${own.description}. Install ${main.name}, which brings it.\n`);
  });
} finally {
  fs.rmSync(stage, {recursive: true});
}

function pack(folder, description, fill) {
  const at = path.join(stage, folder);
  fs.mkdirSync(at);
  fs.writeFileSync(path.join(at, 'package.json'), JSON.stringify(description, null, 2));
  fs.copyFileSync(path.join(here, '../../LICENSE'), path.join(at, 'LICENSE'));
  fill(at);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', into], {cwd: at, stdio: ['ignore', 'ignore', 'inherit']});
}
