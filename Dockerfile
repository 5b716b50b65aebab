# The service alone; MongoDB and Redis are named by MONGODB_URI and REDIS_URL (docker-compose.yml brings them along).
FROM node:24-bookworm-slim AS build
WORKDIR /latchkey
COPY package.json package-lock.json .npmrc ./
COPY packages packages
RUN npm ci --no-audit --no-fund
COPY nest-cli.json tsconfig.json tsconfig.build.json ./
COPY apps apps
COPY libs libs
COPY tools tools
RUN npm run -s build
# what runs needs no development packages, and not the Node.js that npm scripts use: the image has its own
RUN npm prune --omit=dev --no-audit --no-fund && rm -rf node_modules/node node_modules/.bin/node

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
WORKDIR /latchkey
COPY --from=build /latchkey/package.json ./
COPY --from=build /latchkey/node_modules node_modules
COPY --from=build /latchkey/dist/latchkey.mjs /latchkey/dist/latchkey.mjs.map dist/
COPY --from=build /latchkey/dist/*-thread.mjs /latchkey/dist/*-thread.mjs.map dist/
COPY --from=build /latchkey/packages packages
COPY --from=build /latchkey/dist/swagger-ui dist/swagger-ui
# `docker run … IMAGE migrate`: the commands of docs/operating.md
RUN chmod 755 dist/latchkey.mjs && ln -s /latchkey/dist/latchkey.mjs /usr/local/bin/latchkey
USER node
EXPOSE 3000
# alive: the process answers. Whether it can serve is /readyz, for who sends it traffic.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
