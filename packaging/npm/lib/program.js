// Where the program is: in the package of this platform, which npm installs beside this one.
'use strict';

const BINARY_VARIABLE = 'CONTACTCENTERINSIGHTS_EMULATOR_BINARY';

exports.path = () => {
  const named = process.env[BINARY_VARIABLE];
  if (named) return named;
  const platform = `${process.platform}-${process.arch}`;
  try {
    return require.resolve(`contact-center-insights-emulator-${platform}/program`);
  } catch {
    throw new Error(
      `there is no program for ${platform}: the optional package contact-center-insights-emulator-${platform} is not ` +
        `installed (was npm told to omit optional ones?); name a program with ${BINARY_VARIABLE}`,
    );
  }
};
