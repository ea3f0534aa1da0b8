export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="var(--accent)" strokeLinecap="round" strokeLinejoin="round" aria-hidden>
      <path d="M12 3.2a8.8 8.8 0 1 0 8.8 8.8" strokeWidth="2.4" />
      <path d="M17.2 2.9l3.6 3.5-4.5 1.9" strokeWidth="2" />
      <circle cx="12" cy="12" r="3.1" fill="var(--accent)" stroke="none" />
    </svg>
  );
}
