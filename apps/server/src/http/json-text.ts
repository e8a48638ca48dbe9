/** A JSON reply whose text is there already: handlers return it where making it anew each time costs too much. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
