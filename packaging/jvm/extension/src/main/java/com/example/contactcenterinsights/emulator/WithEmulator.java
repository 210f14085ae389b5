package com.example.contactcenterinsights.emulator;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Runs the tests of a class against an emulator. Parameters of a test are filled in by their type: {@link Emulator}, {@link
 * EmulatorAdmin}, and of the official client {@code ContactCenterInsightsClient}, {@code ContactCenterInsightsSettings} and
 * {@code LocationName}, in a project of this test alone.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(EmulatorExtension.class)
public @interface WithEmulator {
  /**
   * Arguments of {@code contact-center-insights emulator}, such as {@code {"--clock", "virtual"}}. Classes with the same ones
   * share an emulator.
   */
  String[] value() default {};
}
