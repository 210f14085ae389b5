// The page of the emulator. It asks the admin API, once a second, for what is looked at, and for nothing else.
//
// Whatever comes from the emulator was written by anyone: it becomes text (`append`, `textContent`), never HTML.

const API = '_emulator/v1/';
/** How many entries of a list are shown, and how many after each "Show more". */
const STEPS = [100, 250, 500, 1000];
/** Of a JSON text, in characters; more would take long to lay out. */
const MOST_SHOWN = 200_000;
const EVERY = 1000;
const AFTER_A_FAILURE = 3000;
const CODES = [
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
  'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
];
const ENDED = ['SUCCEEDED', 'FAILED', 'CANCELLED'];

// ---- Elements

const byId = id => document.getElementById(id);

/** An element with properties and children; what is a string becomes text. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Sets a text if it has changed: what has not is not read out again, and stays selected. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Fields of a form that are filled in. */
function filled(form) {
  return Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
}

/** Carries `act` out when the form is submitted, and says what went wrong. */
function onSubmit(form, act) {
  form.addEventListener('submit', event => {
    event.preventDefault();
    attempt(() => act(form));
  });
}

// ---- The admin API

/** An answer of the emulator that is an error. */
class Refusal extends Error {}

async function call(verb, path, body) {
  const headers = body === undefined ? {} : {'content-type': 'application/json'};
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(API + path, {method: verb, headers, body: text, cache: 'no-store'});
  const value = await reply.json();
  if (!reply.ok) throw new Refusal(value.error?.message ?? `HTTP ${reply.status}`);
  return value;
}

const get = (path, parameters = {}) => {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== ''));
  return call('GET', query.size > 0 ? `${path}?${query}` : path);
};
const post = (path, body) => call('POST', path, body);

// ---- What is said to the user

let clearing = 0;

function say(text) {
  clearTimeout(clearing);
  setText(byId('problem'), '');
  setText(byId('done'), text);
  clearing = setTimeout(() => setText(byId('done'), ''), 6000);
}

function complain(error) {
  setText(byId('done'), '');
  setText(byId('problem'), error instanceof Refusal ? error.message : `The emulator does not answer: ${error.message}`);
}

/** Does something that a user asked for, and shows what came of it. */
async function attempt(act) {
  try {
    const text = await act();
    if (text) say(text);
  } catch (error) {
    complain(error);
  }
  refresh();
}

/** Shows a dialog until it is closed; whether it was not left by its last button or by Escape. */
function ask(dialog) {
  return new Promise(resolve => {
    dialog.returnValue = '';
    dialog.addEventListener('close', () => resolve(dialog.returnValue !== ''), {once: true});
    dialog.showModal();
  });
}

function isSure(title, text, yes) {
  byId('sure-title').textContent = title;
  byId('sure-text').textContent = text;
  byId('sure-yes').textContent = yes;
  return ask(byId('sure-dialog'));
}

// ---- Numbers, times, JSON

const number = value => Number(value ?? 0).toLocaleString('en');

const plural = (count, one, many = `${one}s`) => `${number(count)} ${Number(count) === 1 ? one : many}`;

/** A span in milliseconds, in its two largest units. */
function span(ms) {
  const seconds = Math.max(0, ms) / 1000;
  const whole = Math.floor(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  const [large, small] = [[86400, 3600, 'd', 'h'], [3600, 60, 'h', 'min'], [60, 1, 'min', 's']]
    .filter(([unit]) => whole >= unit)
    .map(([unit, below, one, other]) => [
      `${number(Math.floor(whole / unit))} ${one}`,
      `${Math.floor((whole % unit) / below)} ${other}`,
    ])[0];
  return small.startsWith('0 ') ? large : `${large} ${small}`;
}

/** A duration as ProtoJSON has it, such as `1.5s`, in milliseconds. */
const milliseconds = duration => Number.parseFloat(duration ?? '0') * 1000;

const when = time => (time ? time.replace('T', ' ').replace(/(\.\d{3})\d+/, '$1') : '');

/** A name of an operation, to be read rather than copied. */
function place(name) {
  const [, project, , location, , id] = name.split('/');
  return id === undefined ? name : `${id} in ${project}, ${location}`;
}

const lastPart = name => name.slice(name.lastIndexOf('/') + 1);

function size(bytes) {
  const count = Number(bytes ?? 0);
  return count < 1024 ? plural(count, 'byte') : `${(count / 1024).toFixed(1)} KiB`;
}

/** JSON that can be scrolled by keyboard. */
function pre(label, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  const more = text.length - MOST_SHOWN;
  const shown = more > 0 ? `${text.slice(0, MOST_SHOWN)}\n… and ${number(more)} characters more` : text;
  return make('pre', {tabIndex: 0, role: 'group', 'aria-label': label}, shown);
}

// ---- Lists

/**
 * A list whose rows stay while their entries do, so that focus, selection and what is open outlive each refresh.
 *
 * `key` tells entries apart, `create` fills a new row and gives a function that updates it, `detail` gives the elements
 * that are shown below a row that is open.
 */
class Rows {
  constructor(name, {key, create, detail, load}) {
    Object.assign(this, {name, key, create, detail, load, step: 0, rows: new Map()});
    this.list = byId(`${name}-rows`);
    this.filter = document.querySelector(`[data-filter=${name}]`);
    this.more = document.querySelector(`[data-more=${name}]`);
    this.more?.addEventListener('click', () => {
      this.step += 1;
      refresh();
    });
    const changed = () => {
      this.step = 0;
      refresh();
    };
    this.filter?.addEventListener('submit', event => event.preventDefault());
    for (const field of this.filter?.querySelectorAll('[name]') ?? []) field.addEventListener('input', changed);
  }

  get limit() {
    return STEPS[Math.min(this.step, STEPS.length - 1)];
  }

  async refresh() {
    const {items = [], total = items.length} = await this.load(this.filter ? filled(this.filter) : {}, this.limit);
    this.show(items);
    const isAll = items.length >= Number(total);
    const shown = document.querySelector(`[data-shown=${this.name}]`);
    if (shown) setText(shown, isAll ? `${number(total)} shown` : `the newest ${number(items.length)} of ${number(total)} shown`);
    if (this.more) this.more.hidden = isAll || this.step >= STEPS.length - 1;
    document.querySelector(`[data-empty=${this.name}]`).hidden = items.length > 0;
  }

  show(items) {
    const kept = new Set(items.map(this.key));
    for (const [key, row] of this.rows) {
      if (kept.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    let next = this.list.firstElementChild;
    for (const item of items) {
      const row = this.row(item);
      if (row.element === next) next = next.nextElementSibling;
      else this.list.insertBefore(row.element, next);
      row.update(item);
      this.refreshDetail(row, item);
    }
  }

  row(item) {
    const key = this.key(item);
    let row = this.rows.get(key);
    if (!row) {
      const id = `${this.name}-detail-${(Rows.count += 1)}`;
      const open = make('button', {type: 'button', className: 'open', 'aria-expanded': 'false', 'aria-controls': id});
      const detail = make('div', {id, className: 'detail', hidden: true});
      const line = make('div', {className: 'line'});
      row = {element: make('li', {}, line), open, detail, seen: undefined};
      row.update = this.create(line, open, row.element);
      row.element.append(detail);
      open.addEventListener('click', () => {
        detail.hidden = !detail.hidden;
        open.setAttribute('aria-expanded', String(!detail.hidden));
        row.seen = undefined;
        refresh();
      });
      this.rows.set(key, row);
    }
    return row;
  }

  /** Loads what is open anew if its entry has changed. */
  async refreshDetail(row, item) {
    if (row.detail.hidden) return;
    const seen = JSON.stringify(item);
    if (row.seen === seen) return;
    row.seen = seen;
    try {
      row.detail.replaceChildren(...await this.detail(item));
    } catch (error) {
      row.detail.replaceChildren(make('p', {className: 'trouble'}, error.message));
    }
  }
}
Rows.count = 0;

/** What opens a row: a title, and a line below it. */
function heading(open) {
  const [title, below] = [make('strong'), make('span')];
  open.append(title, below);
  return (one, other) => {
    setText(title, one);
    setText(below, other);
  };
}

// ---- Operations

let clockNow = Date.now();

const operations = new Rows('operations', {
  key: operation => operation.name,
  load: async (filter, limit) => {
    const {operations: items, total} = await get('operations', {...filter, limit});
    return {items, total};
  },
  create(line, open, element) {
    const head = heading(open);
    open.id = `operation-${(Rows.count += 1)}`;
    let name = '';
    const badge = make('span', {className: 'badge'});
    const age = make('span', {className: 'cell age'});
    const bar = make('progress', {max: 1});
    const share = make('span');
    const going = make('span', {className: 'going'}, bar, share);
    const button = (text, act, title) => {
      const element = make('button', {type: 'button', title, 'aria-describedby': open.id}, text);
      element.addEventListener('click', () => attempt(() => act(name)));
      return element;
    };
    const actions = make(
      'div',
      {className: 'actions'},
      button('Advance', advance, 'Counts as one poll'),
      button('Complete', complete, 'Ends it now, as it would end by itself'),
      button('Fail', fail, 'Ends it now in an error'),
      button('Cancel', cancel, 'Ends it now as CancelOperation does'),
    );
    const trouble = make('p', {className: 'trouble', hidden: true});
    line.append(badge, open, age, going, actions);
    element.append(trouble);
    return operation => {
      name = operation.name;
      const isEnded = ENDED.includes(operation.state);
      badge.className = `badge ${operation.state}`;
      setText(badge, operation.state.toLowerCase());
      head(operation.method || 'Operation of an unknown kind', place(name));
      setText(age, told(operation, isEnded));
      age.title = [operation.createTime, operation.endTime].filter(Boolean).join(' to ');
      going.hidden = operation.progress === undefined;
      if (!going.hidden) {
        bar.value = operation.progress;
        bar.setAttribute('aria-label', `Progress of ${lastPart(name)}`);
        setText(share, `${Math.round(operation.progress * 100)} %`);
        going.title = `${operation.profile}, ${plural(operation.polls, 'poll')}`;
      }
      // Whoever ended it by a button stands on the row, not on nothing.
      if (isEnded && actions.contains(document.activeElement)) open.focus();
      actions.hidden = isEnded;
      trouble.hidden = !operation.error;
      const error = operation.error ?? {};
      setText(trouble, operation.error ? [CODES[error.code] ?? `code ${error.code}`, error.message].filter(Boolean).join(': ') : '');
    };
  },
  detail: async operation => {
    const {operations: [whole]} = await get('operations', {name: operation.name});
    const facts = [
      operation.createTime && `created ${when(operation.createTime)}`,
      operation.endTime && `ended ${when(operation.endTime)}`,
      operation.profile && `profile ${operation.profile}`,
      operation.profile && plural(operation.polls, 'poll'),
    ];
    const text = [operation.name, ...facts].filter(Boolean).join(', ');
    return [make('p', {className: 'small name'}, text), pre(`JSON of ${operation.name}`, whole.json ?? 'more than 4 MiB')];
  },
});

/** How old an operation is, on the emulator's clock. */
function told(operation, isEnded) {
  if (!operation.createTime) return '';
  const created = Date.parse(operation.createTime);
  const age = span(clockNow - created);
  if (!isEnded) return age;
  return operation.endTime ? `${age} ago, took ${span(Date.parse(operation.endTime) - created)}` : `${age} ago`;
}

async function advance(name) {
  const {done} = await post('operations:advance', {name});
  return done ? `${lastPart(name)} has ended.` : `${lastPart(name)} was advanced.`;
}

async function complete(name) {
  await post('operations:complete', {name});
  return `${lastPart(name)} was completed.`;
}

async function cancel(name) {
  await post('operations:cancel', {name});
  return `${lastPart(name)} was cancelled.`;
}

async function fail(name) {
  const dialog = byId('fail-dialog');
  byId('fail-name').textContent = name;
  if (!await ask(dialog)) return '';
  const {code, message = ''} = filled(dialog.querySelector('form'));
  await post('operations:fail', {name, error: {code: CODES.indexOf(code), message}});
  return `${lastPart(name)} has failed with ${code}.`;
}

// ---- Resources

const resources = new Rows('resources', {
  key: resource => resource.name,
  load: async ({kind = '', contains = ''}, limit) => {
    const {kinds, resources: items, total} = await get('resources', {kind, contains, limit});
    showKinds(kinds);
    return {items, total: total ?? 0};
  },
  create(line, open) {
    const head = heading(open);
    const [created, bytes] = [make('span', {className: 'cell'}), make('span', {className: 'cell age'})];
    line.append(open, created, bytes);
    return resource => {
      head(resource.displayName || lastPart(resource.name), resource.name);
      setText(created, when(resource.createTime));
      setText(bytes, size(resource.bytes));
    };
  },
  detail: async resource => {
    const {resources: [whole]} = await get('resources', {name: resource.name});
    return [pre(`JSON of ${resource.name}`, whole.json ?? 'more than 4 MiB')];
  },
});

function showKinds(kinds) {
  const select = resources.filter.querySelector('[name=kind]');
  if (select.options.length === 0) {
    select.append(...kinds.map(({kind}) => make('option', {value: kind})));
    // What there is most of is what is looked for.
    const most = kinds.reduce((one, other) => (Number(other.count ?? 0) > Number(one.count ?? 0) ? other : one));
    select.value = most.kind;
    refresh();
  }
  for (const [index, {kind, count}] of kinds.entries()) setText(select.options[index], `${kind} (${number(count)})`);
}

// ---- The journal

const journal = new Rows('journal', {
  key: entry => entry.sequence,
  load: async (filter, limit) => {
    const {calls: items, total} = await get('journal', {...filter, limit, newestFirst: true, brief: true});
    return {items, total: total ?? 0};
  },
  create(line, open, element) {
    const head = heading(open);
    const badge = make('span', {className: 'badge code'});
    const took = make('span', {className: 'cell age'});
    const note = make('p', {className: 'note', hidden: true});
    line.append(badge, open, took);
    element.append(note);
    return entry => {
      const code = entry.code || (entry.duration === undefined ? 'running' : 'no answer');
      badge.className = `badge code ${code === 'OK' ? 'OK' : code === 'running' ? 'RUNNING' : 'error'}`;
      setText(badge, code);
      const attempt = entry.attempt > 1 ? `, attempt ${entry.attempt} after ${span(milliseconds(entry.gap))}` : '';
      const transport = entry.transport === 'GRPC' ? 'gRPC' : 'REST';
      head(entry.method || entry.path, `${entry.sequence}: ${when(entry.time)}, ${transport}${attempt}`);
      setText(took, entry.duration === undefined ? '' : span(milliseconds(entry.duration)));
      const notes = [entry.fault && `Fault: ${entry.fault}`, ...(entry.warnings ?? [])].filter(Boolean);
      note.hidden = notes.length === 0;
      setText(note, notes.join('; '));
    };
  },
  detail: async ({sequence}) => {
    const {calls: [entry] = []} = await get('journal', {after: Number(sequence) - 1, before: Number(sequence) + 1});
    if (!entry) return [make('p', {}, 'It is no longer in the journal.')];
    const deadline = entry.deadline ? `, deadline ${span(milliseconds(entry.deadline))}` : '';
    const headers = (entry.headers ?? []).map(({name, value}) => `${name}: ${value ?? ''}`).join('\n');
    const parts = [make('p', {className: 'small'}, `${entry.path}${deadline}`)];
    const part = (title, value) => parts.push(make('h3', {}, title), pre(`${title} of call ${sequence}`, value));
    if (entry.request !== undefined) part('Request', entry.request);
    if (entry.reply !== undefined) part('Answer', entry.reply);
    if (entry.request === undefined && entry.reply === undefined) {
      parts.push(make('p', {}, 'Its request and answer were not kept: switch that on above, for calls from then on.'));
    }
    part('Headers', headers);
    return parts;
  },
});

byId('bodies').addEventListener('change', ({target}) => attempt(async () => {
  await call('PUT', 'journal', {bodies: target.checked});
  return target.checked ? 'Requests and answers are kept from now on.' : 'Requests and answers are not kept any more.';
}));

byId('journal-clear').addEventListener('click', () => attempt(async () => {
  await call('DELETE', 'journal');
  return 'The journal is empty.';
}));

// ---- Faults and quotas

const faults = new Rows('faults', {
  key: fault => fault.id,
  load: async () => {
    const [{faults: items = []}, limits] = await Promise.all([get('faults'), get('quotas')]);
    byId('faults-clear').hidden = items.length < 2;
    showQuotas(limits);
    return {items};
  },
  create(line, open) {
    const head = heading(open);
    let id = '';
    const off = make('button', {type: 'button'}, 'Switch off');
    off.addEventListener('click', () => attempt(async () => {
      await post('faults:remove', {id});
      byId('faults-title').focus();
      return 'The fault is off.';
    }));
    line.append(open, off);
    return fault => {
      id = fault.id;
      const isSpent = !fault.always && (fault.hit ?? 0) >= fault.times;
      head(described(fault), `${isSpent ? 'used up: ' : ''}matched ${plural(fault.matched, 'call')}, hit ${number(fault.hit)}`);
      off.setAttribute('aria-label', `Switch off: ${described(fault)}`);
    };
  },
  detail: async fault => [pre('JSON of the fault', fault)],
});

/** A fault in words. */
function described(fault) {
  const effects = {
    status: ({code, message}) => [CODES[code] ?? code, message].filter(Boolean).join(': '),
    reset: code => `stream reset ${code ?? 0}`,
    goAway: ({code = 0}) => `GOAWAY ${code}`,
    transport: kind => kind,
    halfThenReset: code => `half, then reset ${code ?? 0}`,
    slowBody: () => 'slow body',
    httpReply: ({status}) => `HTTP ${status}`,
  };
  const effect = Object.keys(effects).find(name => fault[name] !== undefined);
  const parts = [
    fault.delay && `delayed by ${span(milliseconds(fault.delay))}`,
    effect && effects[effect](fault[effect]),
    fault.always ? 'always' : plural(fault.times, 'call'),
    fault.after > 0 && `${number(fault.after)} pass first`,
    fault.probability !== undefined && `probability ${fault.probability}`,
    fault.afterExecution && 'executed all the same',
    ...Object.entries(fault.fields ?? {}).map(([path, value]) => `if ${path} = ${value}`),
    ...Object.entries(fault.headers ?? {}).map(([name, value]) => `if ${name}: ${value}`),
  ];
  return `${fault.method || 'Every method'}: ${parts.filter(Boolean).join(', ')}`;
}

onSubmit(byId('fault-form'), async form => {
  const given = filled(form);
  const fault = {times: Number(given.times ?? 1), after: Number(given.after ?? 0)};
  if (given.method) fault.method = given.method;
  if (given.delay) fault.delay = given.delay;
  if (given.effect === 'status') fault.status = {code: CODES.indexOf(given.code), message: given.message ?? ''};
  else if (given.effect !== 'delay') fault.transport = given.effect;
  else if (!given.delay) throw new Refusal('A slow call needs a delay, such as 2s.');
  if (given.probability !== undefined && Number(given.probability) !== 1) fault.probability = Number(given.probability);
  if (given.always) fault.always = true;
  if (given.afterExecution) fault.afterExecution = true;
  await post('faults', {faults: [fault]});
  return 'The fault is in force.';
});

onSubmit(byId('fault-json-form'), async form => {
  let value;
  try {
    value = JSON.parse(form.json.value);
  } catch (error) {
    throw new Refusal(`This is not JSON: ${error.message}`);
  }
  const list = Array.isArray(value) ? value : value?.faults ?? [value];
  await post('faults', {faults: list});
  return `${plural(list.length, 'fault')} added.`;
});

byId('faults-clear').addEventListener('click', () => attempt(async () => {
  await call('DELETE', 'faults');
  byId('faults-title').focus();
  return 'All faults are off.';
}));

byId('fault-form').effect.addEventListener('change', ({target}) => {
  for (const part of byId('fault-form').querySelectorAll('[data-effect]')) part.hidden = part.dataset.effect !== target.value;
});

let quotas = {};

function showQuotas(limits) {
  quotas = limits;
  const parts = Object.entries(limits.methods ?? {}).map(([method, limit]) => `${method} ${number(limit)}`);
  if (limits.all !== undefined) parts.unshift(`all methods ${number(limits.all)}`);
  setText(byId('quota-now'), parts.length > 0 ? `In force: ${parts.join(', ')}.` : 'No quotas are in force.');
}

async function setQuotas(limits) {
  await call('PUT', 'quotas', limits);
  byId('quota-form').reset();
  return 'The quotas are set; nothing of them is used.';
}

onSubmit(byId('quota-form'), form => {
  const {all, method, limit} = filled(form);
  const methods = {...quotas.methods};
  if (method && limit === undefined) delete methods[method];
  else if (method) methods[method] = Number(limit);
  return setQuotas({...quotas, ...(all === undefined ? {} : {all: Number(all)}), methods});
});
byId('quota-documented').addEventListener('click', () => attempt(() => setQuotas({documented: true})));
byId('quota-none').addEventListener('click', () => attempt(() => setQuotas({})));

// ---- Clock and state

async function advanceClock(by) {
  const {time} = await post('clock:advance', {by});
  return `It is ${when(time)} now.`;
}

onSubmit(byId('clock-advance'), form => advanceClock(form.by.value));
for (const button of document.querySelectorAll('[data-by]')) {
  button.addEventListener('click', () => attempt(() => advanceClock(button.dataset.by)));
}
onSubmit(byId('clock-set'), async form => {
  const {time} = await post('clock:set', {time: form.time.value.trim()});
  return `It is ${when(time)} now.`;
});

onSubmit(byId('import-form'), async form => {
  const file = form.file.files[0];
  const text = await file.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Refusal(`${file.name} is not JSON: ${error.message}`);
  }
  if (typeof value?.state === 'string') await post('restore', text);
  else if (form.replace.checked) await replaceBy(text);
  else await post('seed', text);
  form.reset();
  return `${file.name} was imported.`;
});

/** Puts a seed in the place of all that there is; if the seed is bad, all is as it was. */
async function replaceBy(seed) {
  const before = await get('snapshot');
  await post('reset', {});
  try {
    await post('seed', seed);
  } catch (error) {
    await post('restore', before);
    throw error;
  }
}

onSubmit(byId('reset-form'), async form => {
  const {project = ''} = filled(form);
  const what = project ? `project ${project}` : 'all projects';
  const text = `All resources and operations of ${what} are dropped. There is no way back but an export.`;
  if (!await isSure('Reset the emulator?', text, 'Drop them')) return '';
  await post('reset', {project});
  return `All of ${what} was dropped.`;
});

// ---- Connecting

async function showSnippets() {
  const port = location.port || (location.protocol === 'https:' ? '443' : '80');
  const {snippets} = await get('snippets', {address: `${location.hostname}:${port}`});
  byId('snippets').replaceChildren(...snippets.map(({language, title, code}) => {
    const copy = make('button', {type: 'button', 'aria-label': `Copy the lines for ${title}`}, 'Copy');
    copy.hidden = !navigator.clipboard;
    copy.addEventListener('click', () => attempt(async () => {
      await navigator.clipboard.writeText(code);
      return `The lines for ${title} are copied.`;
    }));
    const head = make('div', {className: 'head'}, make('h3', {}, title), copy);
    return make('div', {className: 'snippet card', id: `snippet-${language}`}, head, pre(`Lines for ${title}`, code));
  }));
}

// ---- Sections

let areMethodsKnown = false;

async function showMethods() {
  if (areMethodsKnown) return;
  const {methods} = await get('coverage');
  const names = methods.filter(({served}) => served).map(({method}) => lastPart(method)).sort();
  for (const select of document.querySelectorAll('[data-methods]')) {
    select.append(...names.map(name => make('option', {value: name}, name)));
  }
  areMethodsKnown = true;
}

let areSnippetsShown = false;

const SECTIONS = {
  operations: () => operations.refresh(),
  resources: () => resources.refresh(),
  journal: async () => {
    await showMethods();
    await journal.refresh();
  },
  faults: async () => {
    await showMethods();
    await faults.refresh();
  },
  clock: async () => {},
  connect: async () => {
    if (!areSnippetsShown) await showSnippets();
    areSnippetsShown = true;
  },
};

let current = 'operations';

/** Shows the section that the address names. */
function turn() {
  const named = location.hash.slice(1);
  current = named in SECTIONS ? named : 'operations';
  for (const name of Object.keys(SECTIONS)) {
    byId(name).hidden = name !== current;
    const link = document.querySelector(`nav a[href="#${name}"]`);
    if (name === current) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${byId(`${current}-title`).textContent} · Insights emulator`;
}

function showStatus({version, clock, resources: resourceCount, operations: operationCount, journalBodies = false}) {
  clockNow = Date.parse(clock.time);
  setText(byId('version'), `version ${version}`);
  setText(byId('address'), location.host);
  setText(byId('clock-now'), `${when(clock.time).replace(/\.\d+/, '')}${clock.virtual ? ', virtual' : ''}`);
  setText(byId('count-operations'), number(operationCount));
  setText(byId('count-resources'), number(resourceCount));
  if (document.activeElement !== byId('bodies')) byId('bodies').checked = journalBodies;
  const kind = clock.virtual
    ? `The clock is virtual, and stands at ${when(clock.time)} until it is moved.`
    : 'The clock is that of the machine. To move it, start the emulator with --clock virtual.';
  setText(byId('clock-kind'), kind);
  for (const form of document.querySelectorAll('[data-virtual]')) form.hidden = !clock.virtual;
}

// ---- Refreshing

let timer = 0;
let isRunning = false;
let isAskedAgain = false;

function connection(state, text) {
  byId('connection').className = `connection ${state}`;
  setText(byId('connection'), text);
}

/** Asks for what is shown, now; while it is being asked for, once more after that. */
async function refresh() {
  if (isRunning) {
    isAskedAgain = true;
    return;
  }
  clearTimeout(timer);
  isRunning = true;
  let pause = EVERY;
  do {
    isAskedAgain = false;
    try {
      showStatus(await get('status'));
      await SECTIONS[current]();
      connection('good', byId('live').checked ? 'Connected' : 'Paused');
    } catch (error) {
      if (error instanceof Refusal) {
        complain(error);
      } else {
        connection('bad', 'No answer');
        pause = AFTER_A_FAILURE;
        isAskedAgain = false;
      }
    }
  } while (isAskedAgain);
  isRunning = false;
  if (byId('live').checked && !document.hidden) timer = setTimeout(refresh, pause);
}

for (const select of document.querySelectorAll('[data-codes]')) {
  const names = CODES.slice(Number(select.dataset.codes));
  select.append(...names.map(name => make('option', {value: name, selected: name === select.dataset.chosen}, name)));
}
document.querySelector('.skip').addEventListener('click', event => {
  event.preventDefault();
  byId('main').focus();
});
byId('connect-tls').hidden = location.protocol !== 'https:';
byId('live').addEventListener('change', refresh);
document.addEventListener('visibilitychange', refresh);
addEventListener('hashchange', () => {
  turn();
  scrollTo(0, 0);
  byId(`${current}-title`).focus({preventScroll: true});
  refresh();
});
turn();
refresh();
