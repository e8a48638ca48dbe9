// The peer of a scan that only stores: as many photos with their two JSON files, each written, synchronised and renamed.
import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";

const [folder, points] = process.argv.slice(2);
const photo = Buffer.alloc(3_000_000, 7);

async function put(name, bytes) {
  const temporary = join(folder, `.tmp_${name}`);
  const file = await open(temporary, "w");
  await file.writeFile(bytes);
  await file.sync();
  await file.close();
  await rename(temporary, join(folder, name));
}

await mkdir(folder, { recursive: true });
const photoMs = [];
const cpuMs = [];
for (let index = 0; index < Number(points); index++) {
  const start = performance.now();
  const before = process.cpuUsage();
  await Promise.all([put(`${index}.jpg`, photo), put(`${index}.json`, Buffer.alloc(1500, 32))]);
  await put("scan.json", Buffer.alloc(2000 + 24 * index, 32));
  const { user, system } = process.cpuUsage(before);
  photoMs.push(performance.now() - start);
  cpuMs.push((user + system) / 1000);
}
console.log(JSON.stringify({ photoMs, cpuMs }));
