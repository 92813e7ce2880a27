"""The tenant over HTTP: a WSGI application, with falcon to route it."""
