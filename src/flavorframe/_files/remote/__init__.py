"""Files on servers: opening them, what goes wrong there, and the credentials they ask for.

- `access`: opens a file by its URL, asks for its version, and explains errors.
- `http`, `s3`, `xrootd_client` and `xrootd_source`: what is particular to a protocol.
  `xrootd_child` asks XRootD servers from another process, where this one has the client of ROOT.
- `credentials`: all of a user's credentials, and why a server may refuse them. `proxies` (X.509)
  and `tokens` find and check them; `proxy_making` and `user_certificates` make new proxies.
- `private_files`: whose a file with a secret must be. Nothing else here opens one.
- `private_copies`: what libraries get that open files themselves. `xrootd_credentials` has the
  client of XRootD find these copies; `placeholder` is for where there is no proxy.
- `times`: lengths of time and moments in messages.

To add a protocol, write a module with the options that fsspec takes for it and what a server tells
of a file's content. Use it in `access._options` and `access._version_elsewhere`. Name the scheme in
`locations.SCHEMES` and, if it needs a package, in `access.EXTRAS`. `tests/files/remote` starts a
server of each protocol.
"""
