//! Tests of the control plane's programs against real API servers; everything is in `tests/`.
