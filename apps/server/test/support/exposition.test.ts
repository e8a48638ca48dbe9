import { expect, test } from "vitest";
import { parseExposition } from "./exposition.js";

const histogram = (...samples: string[]) => `# HELP h A help.\n# TYPE h histogram\n${samples.join("\n")}\n`;

test("metrics are read with their labels", () => {
  const metrics = parseExposition(
    '# HELP a_total As.\n# TYPE a_total counter\na_total{b="c"} 1e-05\na_total 2\n',
  );
  expect(metrics.get("a_total")).toEqual({
    type: "counter",
    help: "As.",
    samples: new Map([
      ['{b="c"}', 1e-5],
      ["", 2],
    ]),
  });
  parseExposition(histogram('h_bucket{le="1"} 1', 'h_bucket{le="+Inf"} 2', "h_sum 3", "h_count 2"));
});

test.each([
  ["no end of the last line", "# HELP a A.\n# TYPE a gauge\na 1"],
  ["a sample without a type", "a 1\n"],
  ["a sample of another metric", "# HELP a A.\n# TYPE a gauge\nb 1\n"],
  ["a wrong value", "# HELP a A.\n# TYPE a gauge\na one\n"],
  ["a broken label", "# HELP a A.\n# TYPE a gauge\na{b=c} 1\n"],
  ["a sample twice", "# HELP a A.\n# TYPE a gauge\na 1\na 1\n"],
  ["a metric twice", "# HELP a A.\n# TYPE a gauge\na 1\n# HELP a A.\n# TYPE a gauge\n"],
  ["shrinking buckets", histogram('h_bucket{le="1"} 3', 'h_bucket{le="+Inf"} 2', "h_sum 3", "h_count 2")],
  ["no last bucket", histogram('h_bucket{le="1"} 2', "h_sum 3", "h_count 2")],
  ["another count", histogram('h_bucket{le="+Inf"} 2', "h_sum 3", "h_count 3")],
])("%s is refused", (_, text) => {
  expect(() => parseExposition(text)).toThrow();
});
