export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8.5" fill="#12857e" />
      <path d="M16 6.2a7.6 7.6 0 0 0-7.6 7.6c0 5.4 7.6 12 7.6 12s7.6-6.6 7.6-12A7.6 7.6 0 0 0 16 6.2Z" fill="#fff" />
      <path
        d="m12.6 13.9 2.4 2.4 4.5-4.7"
        fill="none"
        stroke="#0b6b66"
        strokeWidth="2.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
