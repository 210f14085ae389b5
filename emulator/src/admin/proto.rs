//! The messages of `emulator.proto`.

include!(concat!(env!("OUT_DIR"), "/contactcenterinsights.emulator.v1.rs"));
