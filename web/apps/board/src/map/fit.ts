/** The map offers this to the keyboard; nothing happens while no map is there. */
let fit: (() => void) | null = null;

export function offerFit(action: (() => void) | null): void {
  fit = action;
}

export function fitMap(): void {
  fit?.();
}
