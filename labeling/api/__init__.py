"""The HTTP API: serializers and views of one resource in one file. A view validates, calls, and responds."""
