"""Who approves: one file a way to sign in, all behind `protocol.ports.SignIn`."""
