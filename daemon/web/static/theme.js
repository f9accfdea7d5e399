// Dark or light: as the system has it, unless this browser was told otherwise.

const dark = matchMedia('(prefers-color-scheme: dark)');

/** What this browser was told: dark, light, or system. */
export const wished = () => localStorage.getItem('theme') ?? 'system';

/** Dress the page, and tell those who draw. */
export function dress() {
  const wish = wished();
  document.documentElement.dataset.theme = wish === 'system' ? (dark.matches ? 'dark' : 'light') : wish;
  document.dispatchEvent(new Event('theme'));
}

/** Wish for one of dark, light, system. */
export function wish(theme) {
  if (theme === 'system') localStorage.removeItem('theme');
  else localStorage.setItem('theme', theme);
  dress();
}

/** The other one. */
export const turn = () => wish(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');

dark.addEventListener('change', dress);
