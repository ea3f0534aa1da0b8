import styles from "./shell.module.css";

/** Light enough for the dark initials on them: 8.6 or more. */
const COLORS = ["#ffd27a", "#b9a3ff", "#7cbbff", "#f5bfff", "#8fe3c6", "#ffab9e"];

interface Props {
  id: number;
  initials: string;
  name?: string;
  size?: 16 | 18 | 24 | 28;
}

export function Avatar({ id, initials, name, size = 24 }: Props) {
  const background = COLORS[Math.abs(id) % COLORS.length];
  const label = name ? { role: "img", "aria-label": name, title: name } : { "aria-hidden": true };
  return (
    <span className={styles.avatar} style={{ background, width: size, height: size, lineHeight: `${size}px`, fontSize: size <= 18 ? size / 2 : 10 }} {...label}>
      {initials.slice(0, 2).toUpperCase()}
    </span>
  );
}
