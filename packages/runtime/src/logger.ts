type Write = (fields: object, message: string) => void;

/** The five methods of pino that the packages use: fields first, then a constant message. */
export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
  /** A logger that adds `fields` to each line. */
  child(fields: object): Logger;
}

const ignore: Write = () => {};

export const silentLogger: Logger = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  child: () => silentLogger,
};
