/** Short messages at the corner of the page: what happened, in words. */
import { notifications } from "@mantine/notifications";
import { IconAlertOctagon, IconCheck, IconInfoCircle } from "@tabler/icons-react";

import { messageOf } from "../../api/errors";

export function say(message: string): void {
  notifications.show({ message, icon: <IconCheck size={16} color="var(--accent)" />, color: "transparent", autoClose: 4_000 });
}

/** Something the reader should know, though nothing failed; it stays until it is closed. */
export function note(message: string): void {
  notifications.show({ message, icon: <IconInfoCircle size={16} />, color: "transparent", autoClose: false });
}

/** For a button whose act failed: the act, then the reason. */
export function complain(act: string, error: unknown): void {
  notifications.show({ title: act, message: messageOf(error), icon: <IconAlertOctagon size={16} color="var(--red)" />, color: "transparent", autoClose: 10_000, "aria-live": "assertive" });
}
