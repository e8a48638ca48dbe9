import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isWifiCode, parseWifiCode, type WifiNetwork } from "./wifi-code.js";

const wpa = { ssid: "home", security: "WPA", password: "secret-99", hidden: false };

test.each<[string, Partial<WifiNetwork>]>([
  ["WIFI:T:WPA;S:home;P:secret-99;;", {}],
  ["WIFI:P:secret-99;H:true;S:home;T:WPA;;", { hidden: true }],
  ["wifi:s:home;t:wpa2;p:secret-99;h:false;;", {}],
  ["WIFI:S:home;P:secret-99;;", {}],
  ["WIFI:S:home;P:secret-99", {}],
  ["WIFI:T:WPA/WPA2;S:home;P:secret-99;R:1;X:more;;", {}],
  ["WIFI:T:SAE;S:home;P:short;;", { security: "SAE", password: "short" }],
  ["WIFI:T:WPA3;S:home;P:secret-99;;", { security: "SAE" }],
  ["WIFI:T:nopass;S:home;;", { security: "nopass", password: "" }],
  ["WIFI:T:nopass;S:home;P:not needed;;", { security: "nopass", password: "" }],
  ["WIFI:T:;S:home;P:;;", { security: "nopass", password: "" }],
  ["WIFI:S:home;;", { security: "nopass", password: "" }],
  ["WIFI:T:WEP;S:home;P:abcde;;", { security: "WEP", password: "abcde" }],
  ["WIFI:T:WEP;S:home;P:0123456789;H:1;;", { security: "WEP", password: "0123456789", hidden: true }],
  [
    String.raw`WIFI:T:WPA;S:a\;b\:c\\d\"e\,f;P:p\;q\:r\\s\"t;;`,
    { ssid: 'a;b:c\\d"e,f', password: 'p;q:r\\s"t' },
  ],
  ["WIFI:T:WPA;S:a:b;P:pass:word:1;;", { ssid: "a:b", password: "pass:word:1" }],
  ['WIFI:T:WPA;S:"ABCD";P:"0123456789";;', { ssid: "ABCD", password: "0123456789" }],
  [String.raw`WIFI:T:WPA;S:\"ABCD\";P:secret-99;;`, { ssid: '"ABCD"' }],
  ["WIFI:T:WPA;S:Café 東京 📷;P:größer als 8;;", { ssid: "Café 東京 📷", password: "größer als 8" }],
  ["WIFI:T:WPA;S: home ;P: spaces  ;;", { ssid: " home ", password: " spaces  " }],
  ["WIFI:T:WPA;S:home;S:other;P:secret-99;P:another-1;;", {}],
  [`WIFI:S:home;P:${"0123456789abcdef".repeat(4)};;`, { password: "0123456789abcdef".repeat(4) }],
])("%s", (text, expected) => {
  expect(isWifiCode(text)).toBe(true);
  expect(parseWifiCode(text)).toEqual({ ...wpa, ...expected });
});

test.each([
  ["https://example.org/", "invalid", "the QR code is not about a Wi-Fi network"],
  ["WIFI:T:WPA;P:secret-99;;", "invalid", "the QR code names no Wi-Fi network"],
  ["WIFI:", "invalid", "the QR code names no Wi-Fi network"],
  ["WIFI:T:WPA;S:home;;", "invalid", 'the QR code of the WPA network "home" has no password'],
  ["WIFI:T:WPA;S:home;P:seven-7;;", "invalid", "not 8 to 63 characters"],
  [`WIFI:T:WPA;S:home;P:${"z".repeat(64)};;`, "invalid", "not 8 to 63 characters"],
  ["WIFI:T:WEP;S:home;P:secret;;", "invalid", "5 or 13 characters"],
  ["WIFI:T:FOO;S:home;P:secret-99;;", "invalid", 'unknown kind of Wi-Fi security, "FOO"'],
  ["WIFI:T:WPA2-EAP;S:home;I:me;P:secret-99;;", "unsupported", "user accounts (WPA2-EAP)"],
  [`WIFI:S:${"東".repeat(11)};P:secret-99;;`, "invalid", "at most 32 bytes"],
  ["WIFI:S:ho\nme;P:secret-99;;", "invalid", "unprintable"],
  ["WIFI:S:home;P:secret-99\nx;;", "invalid", "unprintable"],
])("%j is refused, without telling its password", (text, code, message) => {
  let error: unknown;
  try {
    parseWifiCode(text);
  } catch (cause) {
    error = cause;
  }
  expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
  expect(String(error)).not.toContain("secret-99");
});

describe("any network", () => {
  const text = (min: number, max: number) =>
    fc
      .string({ minLength: min, maxLength: max, unit: "grapheme-ascii" })
      .filter((value) => !/^(?:\s*)$/.test(value));
  const escaped = (value: string) => value.replaceAll(/[\\;,:"]/g, (character) => `\\${character}`);

  test("is read as it was written, whatever its names and the order of its fields", () => {
    fc.assert(
      fc.property(
        text(1, 32),
        text(8, 63),
        fc.boolean(),
        fc.shuffledSubarray(["T", "S", "P", "H"], { minLength: 4 }),
        (ssid, password, hidden, order) => {
          const fields: Record<string, string> = {
            T: "T:WPA;",
            S: `S:${escaped(ssid)};`,
            P: `P:${escaped(password)};`,
            H: `H:${hidden};`,
          };
          const code = `WIFI:${order.map((name) => fields[name]).join("")};`;
          expect(parseWifiCode(code)).toEqual({ ssid, security: "WPA", password, hidden });
        },
      ),
    );
  });

  const pieces = fc.constantFrom(...'\\;:"xé📷\n\0TSPH', "T:", "S:", "P:", "H:", "WPA", "secret-99");

  test("or any other text ends in a network or a refusal", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (rest) => {
        try {
          parseWifiCode(`WIFI:${rest.join("")}`);
        } catch (error) {
          expect(error).toMatchObject({ name: "ScanError" });
        }
      }),
    );
  });
});
