import type { HistoryItem } from '@vic/docker-api';
import type { Image, ImageRuntimeConfig } from '../backends.ts';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';
import { STORAGE_DRIVER } from '../system/storage-driver.ts';
import { findImage } from './image-access.ts';

/** `GET /images/{name}/json`. */
export function inspectImage(context: PersonalityContext, call: Call): void {
  const image = findImage(context.images, call.param('name'));
  // 1.45 dropped the configuration of the container a layer was built in.
  const old = !call.speaks('1.45');
  call.json(200, {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: '',
    Comment: image.comment,
    Created: image.createdAt,
    ...(old ? { ContainerConfig: oldConfig({}) } : {}),
    DockerVersion: image.dockerVersion,
    Author: image.author,
    Config: call.speaks('1.50') ? presentConfig(image.config) : oldConfig(image.config),
    Architecture: image.architecture,
    ...(image.variant === undefined || image.variant === '' ? {} : { Variant: image.variant }),
    Os: image.os,
    Size: image.sizeBytes,
    ...(!call.speaks('1.44') ? { VirtualSize: image.sizeBytes } : {}),
    GraphDriver: { Data: null, Name: STORAGE_DRIVER },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Metadata: { LastTagTime: image.lastTaggedAt ?? '0001-01-01T00:00:00Z' },
  });
}

/** `GET /images/{name}/history`: newest first; only the newest step has the image's id and names. */
export function imageHistory(context: PersonalityContext, call: Call): void {
  const image = findImage(context.images, call.param('name'));
  const steps = image.history.map((step, index): HistoryItem => ({
    Comment: step.comment,
    Created: Math.floor(Date.parse(step.createdAt) / 1000) || 0,
    CreatedBy: step.createdBy,
    Id: index === image.history.length - 1 ? image.id : '<missing>',
    Size: step.sizeBytes,
    Tags: index === image.history.length - 1 && image.repoTags.length > 0 ? image.repoTags : null,
  }));
  call.json(200, steps.reverse());
}

/** From API 1.50 on only what an image really says is in its configuration. */
function presentConfig(config: ImageRuntimeConfig): ImageRuntimeConfig {
  const present = Object.entries(config).filter(
    ([, value]) => value !== undefined && value !== '' && !isEmptyCollection(value),
  );
  return Object.fromEntries(present);
}

function isEmptyCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** Older clients see a whole container configuration, empty where images have none. */
function oldConfig(config: ImageRuntimeConfig): Record<string, unknown> {
  const { ExposedPorts, StopSignal, Healthcheck, Shell } = config;
  return {
    Hostname: '',
    Domainname: '',
    User: config.User ?? '',
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    ...(ExposedPorts === undefined ? {} : { ExposedPorts }),
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(Healthcheck === undefined ? {} : { Healthcheck }),
    Image: '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
    ...(StopSignal === undefined ? {} : { StopSignal }),
    ...(Shell === undefined ? {} : { Shell }),
  };
}

/** The image as events name it. */
export function imageAttributes(image: Image | undefined, name: string): Readonly<Record<string, string>> {
  return { ...image?.config.Labels, name };
}
