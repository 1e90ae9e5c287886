"""Files on servers: opening them, what goes wrong there, and the credentials they ask for."""
