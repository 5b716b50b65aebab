// Jest in ESM mode (node --experimental-vm-modules); tools/test.ts starts the stores and calls it.
const swc = {
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    target: 'es2024',
    keepClassNames: true,
  },
  module: { type: 'es6' },
};

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '\\.ts$': ['@swc/jest', swc] },
  testMatch: ['<rootDir>/{apps,bench,libs,packages,tools,test}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.data/'],
  // generous: a slow machine must not fail what holds
  testTimeout: 300_000,
  randomize: true,
};
