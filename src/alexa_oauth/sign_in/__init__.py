"""Who approves: one file a way to sign in, all behind `protocol.sign_in.SignIn`."""
