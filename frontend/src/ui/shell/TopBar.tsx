import type { ReactNode } from "react";
import { Link } from "wouter";

import { AvatarMenu } from "./AvatarMenu";
import { Logo } from "./Logo";
import styles from "./shell.module.css";

interface Props {
  /** Beside the logo: the project's name, or the app's. */
  title: ReactNode;
  nav?: ReactNode;
  right?: ReactNode;
}

export function TopBar({ title, nav, right }: Props) {
  return (
    <header className={styles.topbar}>
      <Link href="/" className={styles.home} aria-label="All projects">
        <Logo />
      </Link>
      {title}
      {nav}
      <span className="grow" />
      {right}
      <AvatarMenu />
    </header>
  );
}
