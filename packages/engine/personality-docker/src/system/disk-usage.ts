import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { sizesOf, summaryOf } from '../containers/list-containers.ts';
import { imageSummary } from '../images/list-images.ts';
import { invalid } from '../http/docker-error.ts';

const TYPES = ['container', 'image', 'volume', 'build-cache'];

/** `GET /system/df`, with what the VCH knows: images and containers. */
export function diskUsage(context: PersonalityContext, call: Call): void {
  const asked = call.queryAll('type');
  const unknown = asked.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) throw invalid(`unknown object type: ${unknown.slice(0, 64)}`);
  const wants = (type: string): boolean => asked.length === 0 || asked.includes(type);
  const containers = context.execution.list();
  const images = context.images.list();
  const nowMs = Number(context.clock() / 1_000_000n);
  call.json(200, {
    LayersSize: wants('image') ? images.reduce((total, image) => total + image.sizeBytes, 0) : 0,
    Images: wants('image')
      ? images.map((image) =>
          imageSummary(image, call, {
            containers: containers.filter(({ config }) => config.imageId === image.id).length,
            sharedSize: 0,
          }),
        )
      : null,
    Containers: wants('container')
      ? containers.map((container) => ({ ...summaryOf(context, container, nowMs), ...sizesOf(context, container) }))
      : null,
    Volumes: wants('volume') ? [] : null,
    BuildCache: wants('build-cache') ? [] : null,
    ...(call.speaks('1.42') ? {} : { BuilderSize: 0 }),
  });
}
