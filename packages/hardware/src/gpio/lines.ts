/** What drives and reads the lines of the board that no component drives, by BCM number. */
export interface GpioLines {
  /** Takes a line as an output, which is low then. Rejects when there is none, or when another process has it. */
  claim(pin: number): Promise<void>;
  read(pin: number): Promise<boolean>;
  write(pin: number, high: boolean): Promise<void>;
  /** Lets go of a line that was claimed. */
  release(pin: number): Promise<void>;
}
