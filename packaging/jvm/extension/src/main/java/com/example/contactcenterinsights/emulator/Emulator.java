package com.example.contactcenterinsights.emulator;

import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** An emulator that runs. It ends with {@link #close}, or with this process, however that ends. */
public final class Emulator implements AutoCloseable {
  private static final long START_SECONDS = 10;
  private static final long END_SECONDS = 5;
  /** How much of what it says is kept, in bytes: the last of it. */
  private static final int KEPT = 1 << 20;

  private final String address;
  private final Process process;
  private final Said said;
  private final EmulatorAdmin admin;

  private Emulator(String address, Process process, Said said) {
    this.address = address;
    this.process = process;
    this.said = said;
    this.admin = new EmulatorAdmin(address);
  }

  /**
   * Starts one, and waits until it answers.
   *
   * @param arguments those of {@code contact-center-insights emulator}, such as {@code --clock virtual}
   * @throws EmulatorException with what it said, if it does not start
   */
  public static Emulator start(String... arguments) {
    List<String> command = new ArrayList<>();
    Process process;
    try {
      command.add(Program.find(System.getenv()));
      command.addAll(List.of("emulator", "--exit-with-stdin", "--port", "0"));
      command.addAll(List.of(arguments));
      // Its stdin is a pipe that nobody writes to: it is closed when this process ends.
      process = new ProcessBuilder(command).start();
    } catch (IOException error) {
      throw new EmulatorException("the emulator cannot be run: " + error.getMessage(), error);
    }
    Said said = new Said(process.getErrorStream());
    CompletableFuture<String> first = new CompletableFuture<>();
    daemon("emulator's stdout", () -> firstLine(process.getInputStream(), first));
    String problem;
    try {
      String line = first.get(START_SECONDS, TimeUnit.SECONDS);
      if (line != null) {
        String address = JsonParser.parseString(line).getAsJsonObject().get("address").getAsString();
        return new Emulator(address, process, said);
      }
      problem = "has ended";
    } catch (TimeoutException error) {
      problem = "is not ready after " + START_SECONDS + " s";
    } catch (JsonParseException | IllegalStateException | NullPointerException error) {
      problem = "is another program: its first line is not that of an emulator";
    } catch (ExecutionException error) {
      problem = "does not say where it is: " + error.getCause();
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      problem = "was not waited for";
    }
    end(process);
    String end = process.isAlive() ? "" : " (exit code " + process.exitValue() + ")";
    throw new EmulatorException("the emulator " + command.get(0) + " " + problem + end + "\n" + said.whole());
  }

  /** HOST:PORT. */
  public String address() {
    return address;
  }

  /** A URI, for REST clients. */
  public String endpoint() {
    return "http://" + address;
  }

  /** State, operations, faults, time and calls. */
  public EmulatorAdmin admin() {
    return admin;
  }

  /** The id of the process. */
  public long pid() {
    return process.pid();
  }

  /** What it has said on stderr, the last MiB of it. */
  public String output() {
    return process.isAlive() ? said.text() : said.whole();
  }

  /** Ends it, and waits for that. Has no effect the second time. */
  @Override
  public void close() {
    end(process);
  }

  private static void end(Process process) {
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.flush();
    } catch (IOException error) {
      // It has ended already.
    }
    try {
      if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException error) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }

  private static void firstLine(InputStream stdout, CompletableFuture<String> first) {
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(stdout, StandardCharsets.UTF_8))) {
      first.complete(lines.readLine());
      // It must not wait for anybody to read what else it says there.
      while (lines.readLine() != null) {
        continue;
      }
    } catch (IOException error) {
      first.completeExceptionally(error);
    }
  }

  private static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  /** What a process says, read as it comes. */
  private static final class Said {
    private final StringBuffer text = new StringBuffer();
    private final Thread reader;

    Said(InputStream stderr) {
      reader = daemon("emulator's stderr", () -> read(stderr));
    }

    private void read(InputStream stderr) {
      byte[] part = new byte[8192];
      try (stderr) {
        for (int length = stderr.read(part); length >= 0; length = stderr.read(part)) {
          text.append(new String(part, 0, length, StandardCharsets.UTF_8));
          text.delete(0, Math.max(0, text.length() - KEPT));
        }
      } catch (IOException error) {
        text.append(error);
      }
    }

    String text() {
      return text.toString();
    }

    /** All of it, of a process that has ended. */
    String whole() {
      try {
        reader.join(TimeUnit.SECONDS.toMillis(END_SECONDS));
      } catch (InterruptedException error) {
        Thread.currentThread().interrupt();
      }
      return text();
    }
  }
}
