package com.example.contactcenterinsights.emulator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EmulatorTest {
  private static final String PARENT = "projects/7/locations/us-central1";

  /** Started by a test as a process of its own: starts an emulator, prints its process, and ends as it is told. */
  public static final class Starter {
    public static void main(String[] end) {
      System.out.println(Emulator.start().pid());
      if (end[0].equals("halt")) {
        Runtime.getRuntime().halt(3);
      }
      if (end[0].equals("kill")) {
        kill(ProcessHandle.current().pid());
      }
    }

    private static void kill(long pid) {
      try {
        new ProcessBuilder("kill", "-KILL", Long.toString(pid)).start().waitFor();
      } catch (Exception error) {
        throw new IllegalStateException(error);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"return", "halt", "kill"})
  void itDoesNotOutliveTheProcessThatStartedIt(String end) throws Exception {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
            System.getProperty("java.class.path"), Starter.class.getName(), end);
    Process starter = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String pid;
    try (BufferedReader output = new BufferedReader(new InputStreamReader(starter.getInputStream()))) {
      pid = output.readLine();
    }
    assertEquals(Map.of("return", 0, "halt", 3, "kill", 137).get(end), starter.waitFor());
    for (int tries = 0; isRunning(pid); tries++) {
      assertTrue(tries < 3000, pid + " is left behind");
      Thread.sleep(10);
    }
  }

  private static boolean isRunning(String pid) throws Exception {
    Path stat = Path.of("/proc", pid, "stat");
    try {
      return !Files.readString(stat).contains(") Z ");
    } catch (java.io.IOException gone) {
      return false;
    }
  }

  @Test
  void itSaysWhyItDoesNotStart() {
    String said = assertThrows(EmulatorException.class, () -> Emulator.start("--no-such-flag")).getMessage();
    assertTrue(said.contains("has ended (exit code 2)") && said.contains("--no-such-flag"), said);
    String before = System.getProperty(Program.PROPERTY);
    try {
      System.setProperty(Program.PROPERTY, "/nonexistent");
      said = assertThrows(EmulatorException.class, Emulator::start).getMessage();
      assertTrue(said.contains("cannot be run") && said.contains("/nonexistent"), said);
      System.setProperty(Program.PROPERTY, "/bin/echo");
      said = assertThrows(EmulatorException.class, Emulator::start).getMessage();
      assertTrue(said.contains("is another program"), said);
    } finally {
      if (before == null) {
        System.clearProperty(Program.PROPERTY);
      } else {
        System.setProperty(Program.PROPERTY, before);
      }
    }
  }

  @Test
  void stateIsTakenAndPutBack() {
    try (Emulator emulator = Emulator.start()) {
      EmulatorAdmin admin = emulator.admin();
      admin.seed("{\"views\": [{\"name\": \"" + PARENT + "/views/1\"}]}");
      String before = admin.snapshot();
      admin.reset("7");
      assertFalse(admin.export().contains("views/1"));
      admin.restore(before);
      assertEquals(before, admin.snapshot());
      admin.reset();
      assertFalse(admin.export().contains("views/1"));
    }
  }

  @Test
  void timeMovesWhenTold() {
    try (Emulator emulator = Emulator.start("--clock", "virtual=2026-11-24T09:00:00Z")) {
      assertEquals("2026-11-24T09:01:30.001Z", emulator.admin().advanceClock(Duration.ofMillis(90_001)).toString());
      Instant to = Instant.parse("2027-01-01T00:00:00Z");
      assertEquals(to, emulator.admin().setClock(to));
      assertEquals(to, emulator.admin().now());
    }
  }

  @Test
  void faultsHitAndCallsAreCounted() throws Exception {
    try (Emulator emulator = Emulator.start()) {
      EmulatorAdmin admin = emulator.admin();
      admin.addFault("GetView", "UNAVAILABLE", 1);
      assertEquals(List.of(503, 404), List.of(get(emulator), get(emulator)));
      assertEquals(1, admin.count("GetView", "UNAVAILABLE"));
      assertEquals(2, admin.count("GetView", ""));
      List<EmulatorAdmin.Call> calls = admin.calls("");
      assertEquals("GetView REST NOT_FOUND", calls.get(1).toString());
      assertFalse(calls.get(0).fault().isEmpty());
      admin.addFault(Map.of("always", true, "status", Map.of("code", 10)));
      admin.clearFaults();
      admin.clearCalls();
      admin.setQuota(1);
      assertEquals(List.of(404, 429), List.of(get(emulator), get(emulator)));
      admin.setQuota(0);
      assertEquals(404, get(emulator));
      assertThrows(IllegalArgumentException.class, () -> admin.fail("x", "LATE", ""));
      String said =
          assertThrows(EmulatorException.class, () -> admin.addFault(Map.of("transport", "Reset"))).getMessage();
      assertTrue(said.contains("INVALID_ARGUMENT: faults[0].transport"), said);
    }
  }

  private static int get(Emulator emulator) throws Exception {
    URI uri = URI.create(emulator.endpoint() + "/v1/" + PARENT + "/views/1");
    HttpRequest request = HttpRequest.newBuilder(uri).build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
  }

  /** Prints how long a start takes; packaging/try reports it. */
  @Test
  void startsAreTimed() {
    long[] times = new long[9];
    for (int run = 0; run < times.length; run++) {
      long begin = System.nanoTime();
      try (Emulator emulator = Emulator.start()) {
        times[run] = System.nanoTime() - begin;
        assertTrue(emulator.endpoint().startsWith("http://127.0.0.1:"));
      }
    }
    java.util.Arrays.sort(times);
    System.out.println("start_ms=" + Math.round(times[4] / 1e6));
  }
}
