package com.example.contactcenterinsights.emulator;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a test tells an emulator at HOST:PORT, and asks it: the admin API. Each method throws {@link EmulatorException}. */
public final class EmulatorAdmin {
  private static final List<String> CODES =
      List.of(
          "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
          "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
          "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED");

  private final String address;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).proxy(ProxySelector.of(null)).build();
  private final Gson gson = new Gson();

  /** Of an emulator that runs at HOST:PORT. */
  public EmulatorAdmin(String address) {
    this.address = address;
  }

  /** HOST:PORT. */
  public String address() {
    return address;
  }

  /** Drops all resources and operations of a project. */
  public void reset(String project) {
    request("POST", "reset", Map.of("project", project));
  }

  /** Drops all resources and operations. Faults, quotas, clock and calls stay. */
  public void reset() {
    request("POST", "reset", Map.of());
  }

  /** Adds resources: a JSON object with lists by kind. */
  public void seed(String seed) {
    send("POST", "seed", seed);
  }

  /** All that is there, as a seed. */
  public String export() {
    return send("GET", "export", null);
  }

  /** All resources and operations; the same state gives the same text. */
  public String snapshot() {
    return send("GET", "snapshot", null);
  }

  /** Puts back what {@link #snapshot} gave, in place of everything. */
  public void restore(String snapshot) {
    send("POST", "restore", snapshot);
  }

  /** Counts as so many polls of an operation; whether it is done. */
  public boolean advance(String operation, int polls) {
    JsonElement done =
        request("POST", "operations:advance", Map.of("name", operation, "polls", polls)).get("done");
    return done != null && done.getAsBoolean();
  }

  /** Ends an operation now, as it would have ended by itself. */
  public void complete(String operation) {
    request("POST", "operations:complete", Map.of("name", operation));
  }

  /** Ends an operation now, in an error: the name of a code, such as ABORTED, and a message. */
  public void fail(String operation, String code, String message) {
    request("POST", "operations:fail", Map.of("name", operation, "error", status(code, message)));
  }

  /** The next calls of a method end in a code, such as UNAVAILABLE, so many times. */
  public void addFault(String method, String code, int times) {
    addFault(Map.of("method", method, "status", status(code, "scripted by the test"), "times", times));
  }

  /** Adds a fault with the fields of the admin API's Fault, by their JSON names. */
  public void addFault(Map<String, ?> fault) {
    request("POST", "faults", Map.of("faults", List.of(fault)));
  }

  /** Takes all faults away. */
  public void clearFaults() {
    request("DELETE", "faults", null);
  }

  /** Sets calls per minute of all methods together; 0 is any number. */
  public void setQuota(int all) {
    request("PUT", "quotas", all > 0 ? Map.of("all", all) : Map.of());
  }

  /** The emulator's time. */
  public Instant now() {
    return time(request("GET", "clock", null));
  }

  /** Moves a virtual clock. */
  public Instant advanceClock(Duration by) {
    String text = String.format("%d.%09ds", by.getSeconds(), by.getNano());
    return time(request("POST", "clock:advance", Map.of("by", text)));
  }

  /** Sets a virtual clock. */
  public Instant setClock(Instant to) {
    return time(request("POST", "clock:set", Map.of("time", to.toString())));
  }

  /** The calls so far, oldest first: of one method, or of all if it is empty. */
  public List<Call> calls(String method) {
    String query = "journal?method=" + URLEncoder.encode(method, StandardCharsets.UTF_8);
    List<Call> calls = new ArrayList<>();
    JsonElement found = request("GET", query, null).get("calls");
    if (found != null) {
      found.getAsJsonArray().forEach(call -> calls.add(new Call(call.getAsJsonObject())));
    }
    return calls;
  }

  /** How many calls of a method ended in a code; an empty one is any. */
  public int count(String method, String code) {
    JsonElement count = request("POST", "journal:count", Map.of("method", method, "code", code)).get("count");
    return count == null ? 0 : count.getAsInt();
  }

  /** Forgets the calls so far. */
  public void clearCalls() {
    request("DELETE", "journal", null);
  }

  /** Any request of the admin API, with a body or null, and its answer. */
  public JsonObject request(String verb, String path, Map<String, ?> body) {
    String reply = send(verb, path, body == null ? null : gson.toJson(body));
    return reply.isEmpty() ? new JsonObject() : JsonParser.parseString(reply).getAsJsonObject();
  }

  private String send(String verb, String path, String body) {
    HttpRequest.BodyPublisher publisher =
        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body);
    URI uri = URI.create("http://" + address + "/_emulator/v1/" + path);
    HttpRequest request =
        HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(30)).method(verb, publisher).build();
    HttpResponse<String> reply;
    try {
      reply = http.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException error) {
      throw new EmulatorException("no emulator answers at " + address + ": " + error, error);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
      throw new EmulatorException(verb + " " + path + " was interrupted", error);
    }
    if (reply.statusCode() != 200) {
      throw new EmulatorException(verb + " " + path + ": " + problem(reply));
    }
    return reply.body();
  }

  private static String problem(HttpResponse<String> reply) {
    try {
      JsonObject error = JsonParser.parseString(reply.body()).getAsJsonObject().getAsJsonObject("error");
      return error.get("status").getAsString() + ": " + error.get("message").getAsString();
    } catch (JsonParseException | IllegalStateException | NullPointerException unknown) {
      return "HTTP " + reply.statusCode() + ": " + reply.body();
    }
  }

  private static Map<String, Object> status(String code, String message) {
    int number = CODES.indexOf(code);
    if (number < 0) {
      throw new IllegalArgumentException(code + " is not one of " + String.join(", ", CODES));
    }
    Map<String, Object> status = new LinkedHashMap<>();
    status.put("code", number);
    status.put("message", message);
    return status;
  }

  private static Instant time(JsonObject clock) {
    return Instant.parse(clock.get("time").getAsString());
  }

  /** A call that the emulator got. */
  public static final class Call {
    private final JsonObject raw;

    Call(JsonObject raw) {
      this.raw = raw;
    }

    public String method() {
      return text("method");
    }

    /** GRPC or REST. */
    public String transport() {
      return text("transport");
    }

    /** The name of its status code; empty while it runs, and if its caller never learnt it. */
    public String code() {
      return text("code");
    }

    /** What a fault did to it. */
    public String fault() {
      return text("fault");
    }

    /** All that the journal has of it. */
    public JsonObject raw() {
      return raw;
    }

    private String text(String field) {
      return raw.has(field) ? raw.get(field).getAsString() : "";
    }

    @Override
    public String toString() {
      return String.join(" ", method(), transport(), code(), fault()).trim();
    }
  }
}
