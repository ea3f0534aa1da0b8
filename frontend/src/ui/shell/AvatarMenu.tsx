import { Menu, UnstyledButton } from "@mantine/core";
import { IconKey, IconLayoutGrid, IconLogout, IconSettings } from "@tabler/icons-react";
import { Link } from "wouter";

import { useLogout, useUser } from "../session/useSession";
import { complain } from "../states/messages";
import { Avatar } from "./Avatar";
import styles from "./shell.module.css";

export function AvatarMenu() {
  const user = useUser();
  const logout = useLogout();
  return (
    <Menu position="bottom-end" width={208}>
      <Menu.Target>
        <UnstyledButton className={styles.avatarButton} aria-label={`${user.initials}: account of ${user.name || user.username}`}>
          <Avatar id={user.id} initials={user.initials} />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={styles.who}>
          <div className="ellipsis">{user.name || user.username}</div>
          <div className="ellipsis small t2">{user.username}</div>
        </div>
        <Menu.Divider />
        <Menu.Item component={Link} href="/" leftSection={<IconLayoutGrid size={16} stroke={1.5} />}>
          All projects
        </Menu.Item>
        <Menu.Item component={Link} href="/account" leftSection={<IconKey size={16} stroke={1.5} />}>
          Account and API tokens
        </Menu.Item>
        {user.is_staff && (
          <Menu.Item component="a" href="/admin/" leftSection={<IconSettings size={16} stroke={1.5} />}>
            Administration
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} stroke={1.5} />}
          onClick={() => logout.mutate(undefined, { onError: (error) => complain("You are still logged in", error) })}
        >
          Log out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
