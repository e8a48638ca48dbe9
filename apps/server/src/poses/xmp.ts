import type { PlacedPhoto } from "./placed-photo.js";

/** Width of the film that focal lengths are compared with, in mm. */
const FILM_WIDTH = 36;

/** The sidecar that RealityCapture (RealityScan) reads beside a picture: a prior that it may refine. */
export function xmpSidecar({ rotation, position, intrinsics }: PlacedPhoto): string {
  return `<x:xmpmeta xmlns:x="adobe:ns:meta/">
  <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description xmlns:xcr="http://www.capturingreality.com/ns/xcr/1.1#" xcr:Version="3"
      xcr:PosePrior="initial" xcr:Coordinates="absolute" xcr:DistortionModel="brown3"${calibration(intrinsics)}>
      <xcr:Rotation>${rotation.flat().join(" ")}</xcr:Rotation>
      <xcr:Position>${position.join(" ")}</xcr:Position>
      <xcr:DistortionCoeficients>0 0 0 0 0 0</xcr:DistortionCoeficients>
    </rdf:Description>
  </rdf:RDF>
</x:xmpmeta>
`;
}

/** Left out where it is not known: then the program finds it. */
function calibration(intrinsics: PlacedPhoto["intrinsics"]): string {
  if (!intrinsics || intrinsics.source === "guess") return "";
  const { width, height, fx, cx, cy } = intrinsics;
  const longer = Math.max(width, height);
  const values = {
    FocalLength35mm: (fx * FILM_WIDTH) / longer,
    PrincipalPointU: (cx - width / 2) / longer,
    PrincipalPointV: (cy - height / 2) / longer,
    Skew: 0,
    AspectRatio: 1,
    CalibrationPrior: "initial",
  };
  return `\n      ${Object.entries(values)
    .map(([name, value]) => `xcr:${name}="${value}"`)
    .join(" ")}`;
}
