/** Plays slices or frames at a rate; never two ticks at once, so a slow machine drops frames instead of queueing them. */
export class Cine {
  private timer: number | null = null;

  constructor(private readonly step: () => void) {}

  get isPlaying(): boolean { return this.timer !== null; }

  start(rate_hz: number): void {
    this.stop();
    const wait_ms = 1000 / Math.min(Math.max(rate_hz, 1), 60);
    let due = performance.now() + wait_ms;
    const tick = (now: number): void => {
      if (now >= due) {
        this.step();
        due = Math.max(due + wait_ms, now);
      }
      this.timer = requestAnimationFrame(tick);
    };
    this.timer = requestAnimationFrame(tick);
  }

  stop(): void {
    if (this.timer !== null) cancelAnimationFrame(this.timer);
    this.timer = null;
  }
}
