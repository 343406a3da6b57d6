import { VicError } from '@vic/errors';
import type { Call } from './http/call.ts';
import { notServed } from './http/docker-error.ts';
import type { Route } from './http/route.ts';

type Unserved = readonly [method: Route['method'], path: string, what: string, instead: string];

const USE_FILES = 'copy files into the image, or use docker exec with a pipe.';
const USE_REGISTRY = 'build and push the image elsewhere, and pull it from its registry.';
const USE_VIC_MACHINE = 'containers of a VCH share its bridge network and find each other by name on it.';
const NO_VOLUMES = 'use --tmpfs for scratch space, and images for data.';
const USE_START_STOP = 'use docker stop and docker start.';

const UNSERVED: readonly Unserved[] = [
  ['POST', '/containers/{id}/pause', 'pausing containers', USE_START_STOP],
  ['POST', '/containers/{id}/unpause', 'pausing containers', USE_START_STOP],
  ['POST', '/containers/{id}/update', 'updating containers', 'remove the container and create it anew.'],
  ['GET', '/containers/{id}/top', 'top', 'run ps with docker exec.'],
  ['GET', '/containers/{id}/stats', 'stats', 'see the performance charts of the container VM in vSphere.'],
  ['GET', '/containers/{id}/changes', 'listing changed files', 'run find with docker exec.'],
  ['GET', '/containers/{id}/export', 'exporting containers', USE_FILES],
  ['HEAD', '/containers/{id}/archive', 'copying files', USE_FILES],
  ['GET', '/containers/{id}/archive', 'copying files', USE_FILES],
  ['PUT', '/containers/{id}/archive', 'copying files', USE_FILES],
  ['GET', '/containers/{id}/attach/ws', 'attaching over a WebSocket', 'use POST /containers/{id}/attach.'],
  ['POST', '/commit', 'committing containers', USE_REGISTRY],
  ['POST', '/build', 'building images', USE_REGISTRY],
  ['POST', '/build/cancel', 'building images', USE_REGISTRY],
  ['POST', '/session', 'BuildKit sessions', USE_REGISTRY],
  ['POST', '/grpc', 'BuildKit', USE_REGISTRY],
  ['GET', '/images/search', 'searching registries', 'search on the web site of the registry.'],
  ['GET', '/images/get', 'saving images', USE_REGISTRY],
  ['POST', '/images/load', 'loading images', USE_REGISTRY],
  ['GET', '/images/{name...}/get', 'saving images', USE_REGISTRY],
  ['POST', '/images/{name...}/push', 'pushing images', 'push the image from where it was built.'],
  ['GET', '/images/{name...}/attestations', 'attestations', 'ask the registry for them.'],
  ['GET', '/distribution/{name...}/json', 'inspecting images of a registry', 'pull the image and inspect it.'],
  ['POST', '/networks/create', 'creating networks', USE_VIC_MACHINE],
  [
    'POST',
    '/networks/{id}/connect',
    'connecting containers',
    'name the network with --network when the container is created.',
  ],
  ['POST', '/networks/{id}/disconnect', 'disconnecting containers', 'remove the container and create it anew.'],
  ['DELETE', '/networks/{id}', 'removing networks', USE_VIC_MACHINE],
  ['POST', '/volumes/create', 'volumes', NO_VOLUMES],
  ['PUT', '/volumes/{name}', 'volumes', NO_VOLUMES],
  ['GET', '/plugins/{name...}', 'plugins', 'VIC is extended on the side of vSphere.'],
  ['POST', '/plugins/{name...}', 'plugins', 'VIC is extended on the side of vSphere.'],
  ['DELETE', '/plugins/{name...}', 'plugins', 'VIC is extended on the side of vSphere.'],
  ['GET', '/containers/{id}/checkpoints', 'checkpoints', 'use docker stop and docker start.'],
  ['POST', '/containers/{id}/checkpoints', 'checkpoints', 'use docker stop and docker start.'],
];

const SWARM_PATHS = ['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs'];
const METHODS = ['GET', 'POST', 'DELETE'] as const;

/** Endpoints of the API that are refused, each with what to do instead. */
export function unservedRoutes(): Route[] {
  const refused = UNSERVED.map(([method, path, what, instead]): Route => ({
    method,
    path,
    handler: () => {
      throw notServed(what, instead);
    },
  }));
  return [...refused, ...swarmRoutes()];
}

/** What an engine outside a swarm says to all of swarm's endpoints. */
function swarmRoutes(): Route[] {
  return SWARM_PATHS.flatMap((path) =>
    METHODS.flatMap((method): Route[] => [
      { method, path, handler: refuseSwarm },
      { method, path: `${path}/{rest...}`, handler: refuseSwarm },
    ]),
  );
}

function refuseSwarm(_call: Call): never {
  throw new VicError({
    class: 'Unavailable',
    code: 'DOCKER_NOT_A_SWARM',
    message:
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  });
}
