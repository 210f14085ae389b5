package com.example.contactcenterinsights.emulator;

/** The emulator did not start, or refused a request of the admin API. */
public final class EmulatorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  EmulatorException(String message) {
    super(message);
  }

  EmulatorException(String message, Throwable cause) {
    super(message, cause);
  }
}
