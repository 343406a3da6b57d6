import { isVicError } from '@vic/errors';
import { type ContainerCreate, ContainerCreateSchema, type HostConfig, parseContainerName } from '@vic/docker-api';
import { type ContainerId, randomHexId } from '@vic/ids';
import type { Container } from '@vic/port-layer';
import type { Image } from '../backends.ts';
import type { Call } from '../http/call.ts';
import { conflict, invalid, notFound, notServed } from '../http/docker-error.ts';
import type { PersonalityContext } from '../personality.ts';
import { familiarReference } from '../images/reference.ts';
import { findNetwork } from '../networks/networks.ts';
import { findContainerIfAny } from './container-access.ts';
import { planContainer } from './new-container.ts';
import { randomName } from './random-name.ts';
import { type ShapeBounds, asksForShape } from './shape-options.ts';

/** `POST /containers/create`. */
export async function createContainer(context: PersonalityContext, call: Call): Promise<void> {
  const body = await call.body(ContainerCreateSchema);
  refuseEmptyConfig(body);
  const askedName = call.query('name') ?? '';
  const name = askedName === '' ? undefined : parseContainerName(askedName);
  if (body.Image === undefined || body.Image === '') throw invalid('no image specified');
  const image = resolveImage(context, body.Image, call.query('platform') ?? '');
  const { id, warnings } = await createNamed(context, call, body, { image, name });
  call.json(201, { Id: id, Warnings: warnings });
}

/** In Docker's words; what is beside the container's configuration does not count. */
function refuseEmptyConfig({ HostConfig: _host, NetworkingConfig: _networking, ...config }: ContainerCreate): void {
  if (Object.keys(config).length === 0) throw invalid('config cannot be empty in order to create a container');
}

/** Tries of a generated name before giving up; each collision is a 1 in thousands event. */
const NAME_ATTEMPTS = 6;

async function createNamed(
  context: PersonalityContext,
  call: Call,
  body: ContainerCreate,
  wanted: { readonly image: Image; readonly name: string | undefined },
): Promise<{ id: ContainerId; warnings: readonly string[] }> {
  const available = await availableFor(context, call, body.HostConfig ?? {});
  for (let attempt = 1; ; attempt++) {
    const name = wanted.name ?? randomName(attempt > 1);
    refuseTakenName(context, name);
    const plan = planContainer(body, {
      id: randomHexId<ContainerId>(),
      name,
      image: wanted.image,
      version: call.version,
      bounds: { ...context.configuration, ...available },
      gatewayOf: (network) => context.networks.list().find((one) => one.name === network)?.gateway,
    });
    if (plan.request.network !== undefined) refuseMissingNetwork(context, plan.request.network);
    try {
      const container = await context.execution.create(plan.request, call.signal);
      return { id: container.config.id, warnings: plan.warnings };
    } catch (error) {
      if (!isVicError(error, { class: 'AlreadyExists' })) throw error;
      if (wanted.name === undefined && attempt < NAME_ATTEMPTS) continue;
      throw nameConflict(name, findContainerIfAny(context.execution, name), error);
    }
  }
}

const UNBOUNDED = { availableCpus: Number.POSITIVE_INFINITY, availableMemoryMiB: Number.POSITIVE_INFINITY };

/** The CPUs and the memory there are, asked for only where the request names how much it wants. */
async function availableFor(
  context: PersonalityContext,
  call: Call,
  hostConfig: HostConfig,
): Promise<Pick<ShapeBounds, 'availableCpus' | 'availableMemoryMiB'>> {
  if (!asksForShape(hostConfig)) return UNBOUNDED;
  const { cpus, memoryBytes } = await context.system.describe(call.signal);
  return { availableCpus: cpus, availableMemoryMiB: Math.floor(memoryBytes / 2 ** 20) };
}

/** 400 and not 404, which at this path means a missing image: command lines would pull it and try again. */
function refuseMissingNetwork(context: Pick<PersonalityContext, 'networks'>, wanted: string): void {
  try {
    findNetwork(context, wanted);
  } catch (error) {
    throw isVicError(error, { class: 'NotFound' }) ? invalid(error.message) : error;
  }
}

/** Docker's words for a name that another container has. */
export function nameConflict(name: string, holder: Container | undefined, cause?: unknown): Error {
  return conflict(
    `Conflict. The container name "/${name}" is already in use by container "${holder?.config.id ?? 'being created'}". You have to remove (or rename) that container to be able to reuse that name.`,
    cause,
  );
}

/** Refuses a name in use before anything is made; a race is still caught by the port layer. */
export function refuseTakenName(context: Pick<PersonalityContext, 'execution'>, name: string): void {
  const holder = context.execution.list().find(({ config }) => config.name === name);
  if (holder !== undefined) throw nameConflict(name, holder);
}

function resolveImage(context: PersonalityContext, reference: string, platform: string): Image {
  let image: Image;
  try {
    image = context.images.get(reference);
  } catch (error) {
    if (!isVicError(error, { class: 'NotFound' })) throw error;
    throw notFound(`No such image: ${familiarReference(reference)}`, error);
  }
  if (platform !== '' && !platformMatches(image, platform)) {
    throw notFound(
      `image with reference ${reference} was found but its platform (${image.os}/${image.architecture}) does not match the specified platform (${platform.slice(0, 64)})`,
    );
  }
  if (image.os !== 'linux') throw notServed(`images for ${image.os}`, 'use an image for linux.');
  return image;
}

function platformMatches(image: Image, platform: string): boolean {
  const parts = platform.toLowerCase().split('/');
  const own = [image.os, image.architecture, image.variant ?? ''];
  return parts.every((part, index) => part === own[index] || (index === 2 && own[2] === ''));
}
