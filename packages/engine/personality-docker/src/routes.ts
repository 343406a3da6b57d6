import { attachContainer } from './containers/attach-container.ts';
import {
  killContainer,
  removeContainer,
  renameContainer,
  resizeContainer,
  restartContainer,
  stopContainer,
} from './containers/container-lifecycle.ts';
import { containerLogs } from './containers/container-logs.ts';
import { createContainer } from './containers/create-container.ts';
import { inspectContainer } from './containers/inspect-container.ts';
import { listContainers } from './containers/list-containers.ts';
import { pruneContainers } from './containers/prune-containers.ts';
import { startContainer } from './containers/start-container.ts';
import { waitContainer } from './containers/wait-container.ts';
import { streamEvents } from './events/stream-events.ts';
import { createExec } from './exec/create-exec.ts';
import { inspectExec, resizeExec } from './exec/inspect-exec.ts';
import { startExec } from './exec/start-exec.ts';
import type { Call } from './http/call.ts';
import { notFound } from './http/docker-error.ts';
import type { Route } from './http/route.ts';
import { imageHistory, inspectImage } from './images/inspect-image.ts';
import { listImages } from './images/list-images.ts';
import { pullImage } from './images/pull-image.ts';
import { pruneImages, removeImage, tagImage } from './images/remove-image.ts';
import { inspectNetwork, listNetworks } from './networks/networks.ts';
import { unservedRoutes } from './not-served.ts';
import type { PersonalityContext } from './personality.ts';
import { auth } from './system/auth.ts';
import { diskUsage } from './system/disk-usage.ts';
import { info } from './system/info.ts';
import { pruneBuildCache, pruneNetworks, pruneVolumes } from './system/nothing-to-prune.ts';
import { ping } from './system/ping.ts';
import { version } from './system/version.ts';

type Handler = (context: PersonalityContext, call: Call) => Promise<void> | void;

/** The Docker API as one table: method, path, handler, and the API version that brought it where that matters. */
export function routesOf(context: PersonalityContext): readonly Route[] {
  const route = (method: Route['method'], path: string, handler: Handler, since?: string): Route => ({
    method,
    path,
    ...(since === undefined ? {} : { since }),
    handler: (call) => handler(context, call),
  });
  return [
    route('GET', '/_ping', (_, call) => ping(call)),
    route('HEAD', '/_ping', (_, call) => ping(call)),
    route('GET', '/version', version),
    route('GET', '/info', info),
    route('POST', '/auth', auth),
    route('GET', '/events', streamEvents),
    route('GET', '/system/df', diskUsage, '1.25'),

    route('GET', '/containers/json', listContainers),
    route('POST', '/containers/create', createContainer),
    route('POST', '/containers/prune', pruneContainers, '1.25'),
    route('GET', '/containers/{id}/json', inspectContainer),
    route('GET', '/containers/{id}/logs', containerLogs),
    route('POST', '/containers/{id}/start', startContainer),
    route('POST', '/containers/{id}/stop', stopContainer),
    route('POST', '/containers/{id}/restart', restartContainer),
    route('POST', '/containers/{id}/kill', killContainer),
    route('POST', '/containers/{id}/wait', waitContainer),
    route('POST', '/containers/{id}/rename', renameContainer),
    route('POST', '/containers/{id}/resize', resizeContainer),
    route('POST', '/containers/{id}/attach', attachContainer),
    route('POST', '/containers/{id}/exec', createExec),
    route('DELETE', '/containers/{id}', removeContainer),

    route('GET', '/exec/{id}/json', inspectExec),
    route('POST', '/exec/{id}/start', startExec),
    route('POST', '/exec/{id}/resize', resizeExec),

    route('POST', '/networks/prune', pruneNetworks, '1.25'),
    route('POST', '/volumes/prune', pruneVolumes, '1.25'),
    route('POST', '/build/prune', pruneBuildCache, '1.31'),
    route('GET', '/plugins/{name}/json', refusePlugin, '1.25'),
    ...unservedRoutes(),

    route('GET', '/images/json', listImages),
    route('POST', '/images/create', pullImage),
    route('POST', '/images/prune', pruneImages, '1.25'),
    route('GET', '/images/{name...}/json', inspectImage),
    route('GET', '/images/{name...}/history', imageHistory),
    route('POST', '/images/{name...}/tag', tagImage),
    route('DELETE', '/images/{name...}', removeImage),

    route('GET', '/networks', listNetworks),
    route('GET', '/networks/{id}', inspectNetwork),

    route('GET', '/volumes', (_, call) => call.json(200, { Volumes: [], Warnings: null })),
    route('GET', '/volumes/{name}', refuseVolume),
    route('DELETE', '/volumes/{name}', refuseVolume),
    route('GET', '/plugins', (_, call) => call.json(200, []), '1.25'),
  ];
}

function refusePlugin(_: PersonalityContext, call: Call): never {
  throw notFound(`plugin "${call.param('name')}" not found`);
}

function refuseVolume(_: PersonalityContext, call: Call): never {
  throw notFound(`get ${call.param('name')}: no such volume`);
}
