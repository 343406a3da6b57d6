export { SecretBox } from './secret-box.ts';
export { KeyRotation } from './key-rotation.ts';
