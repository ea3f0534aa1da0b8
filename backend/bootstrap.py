"""What has to be in the database before the other processes start. Run by the supervisor, at every start.

`python -m backend.bootstrap [--demo]`: one process for all steps, because starting Django costs a second.
"""

import io
import os
import sys


def main(arguments: list[str]) -> None:
    """Migrate, make the first admin, register the model that ships; say so; then the demo project if asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    import django

    django.setup()

    from django.conf import settings
    from django.core.management import call_command

    call_command("migrate", interactive=False)
    call_command("create_first_admin", stdout=io.StringIO())  # it prints the password, which no log may hold
    call_command("register_model", str(settings.CELLLOOP_WEIGHTS))
    print("database ready", flush=True)
    if "--demo" in arguments:
        call_command("demo_project")


if __name__ == "__main__":
    main(sys.argv[1:])
