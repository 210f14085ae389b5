package com.example.contactcenterinsights.emulator;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Map;

/** Where the program is: named, in this jar, or on the PATH. */
final class Program {
  static final String PROPERTY = "contactcenterinsights.emulator.binary";
  static final String VARIABLE = "CONTACTCENTERINSIGHTS_EMULATOR_BINARY";
  private static Path unpacked;

  private Program() {}

  static String find(Map<String, String> environment) throws IOException {
    String named = System.getProperty(PROPERTY, environment.get(VARIABLE));
    if (named != null && !named.isEmpty()) {
      return named;
    }
    Path own = unpack();
    if (own != null) {
      return own.toString();
    }
    for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
      for (String name : new String[] {"contact-center-insights", "cci"}) {
        File program = new File(folder, name);
        if (program.isFile() && program.canExecute()) {
          return program.getPath();
        }
      }
    }
    throw new EmulatorException(
        "there is no emulator: neither in this jar for " + platform()
            + " nor as contact-center-insights or cci on the PATH; name a program with the property " + PROPERTY
            + " or the variable " + VARIABLE);
  }

  private static String platform() {
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT).split(" ")[0];
    return system + "-" + System.getProperty("os.arch");
  }

  /** Once for this machine, since several emulators run from one file. */
  private static synchronized Path unpack() throws IOException {
    if (unpacked != null) {
      return unpacked;
    }
    String resource = "/contact-center-insights-emulator/" + platform() + "/cci";
    try (InputStream program = Program.class.getResourceAsStream(resource)) {
      if (program == null) {
        return null;
      }
      Path file = Files.createTempFile("contact-center-insights-emulator-", "");
      file.toFile().deleteOnExit();
      Files.copy(program, file, StandardCopyOption.REPLACE_EXISTING);
      if (!file.toFile().setExecutable(true)) {
        throw new IOException("cannot make " + file + " executable");
      }
      unpacked = file;
      return file;
    }
  }
}
