export { FakeS3 } from './fake-s3.ts';
export { temporaryBlobStore } from './temporary-blob-store.ts';
export { VersityGateway } from './versity-gateway.ts';
