"""Issues tokens: the limits of a client, new families, token answers, and the proofs that tokens carry."""
