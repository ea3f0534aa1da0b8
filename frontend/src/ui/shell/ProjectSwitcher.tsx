import { Menu, UnstyledButton } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";

import { projectList } from "../../api/projects";
import type { Project } from "../../api/types";
import { keys } from "../queries";
import styles from "./shell.module.css";

export function ProjectSwitcher({ project }: { project: Project }) {
  const projects = useQuery({ queryKey: keys.projects, queryFn: projectList });
  return (
    <Menu position="bottom-start" width={260}>
      <Menu.Target>
        <UnstyledButton className={styles.switcher} aria-label={`Project ${project.name}, switch project`}>
          <span className="ellipsis">{project.name}</span>
          <IconChevronDown size={14} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown mah={420} style={{ overflowY: "auto" }}>
        {(projects.data ?? [project]).map((other) => (
          <Menu.Item
            key={other.id}
            component={Link}
            href={`/projects/${other.id}`}
            rightSection={other.id === project.id ? <IconCheck size={14} aria-label="open now" /> : null}
          >
            <span className="ellipsis">{other.name}</span>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} href="/">
          All projects
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
