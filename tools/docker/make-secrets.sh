#!/bin/sh
# Makes, once, the secrets of docker-compose.yml in a volume that only its containers see: none has a default value,
# and none has to be thought up.
set -eu
umask 077
cd /run/latchkey
secret() { [ -s "$1" ] || { head -c "$2" /dev/urandom | base64 | tr -d '\n=' | tr '+/' '-_' >"$1.new" && mv "$1.new" "$1"; }; }
secret mongodb-root-password 24
secret mongodb-password 24
secret mongodb-migration-password 24
secret mongodb-retention-password 24
secret redis-password 24
secret admin-password 18
# what the service reads by MONGODB_URI_FILE and its like: the passwords have no character that a URI would have to escape
uri() { printf '%s' "$2" >"$1.new" && mv "$1.new" "$1"; }
uri mongodb-uri "mongodb://latchkey:$(cat mongodb-password)@mongodb:27017/latchkey?replicaSet=latchkey"
uri mongodb-migration-uri "mongodb://latchkeyMigration:$(cat mongodb-migration-password)@mongodb:27017/latchkey?replicaSet=latchkey"
uri redis-url "redis://:$(cat redis-password)@redis:6379"
# what the members of a replica set with users authenticate each other by: base64 alone
[ -s mongodb-key ] || { head -c 384 /dev/urandom | base64 -w 0 >mongodb-key.new && mv mongodb-key.new mongodb-key; }
# 999 is mongodb in the image mongo, 1000 is node in the service's
# Redis reads its configuration, so that its password is in no argument of a process
printf 'requirepass %s\n' "$(cat redis-password)" >redis.conf
chown 999:999 mongodb-root-password mongodb-key mongodb-retention-password redis.conf
for shared in mongodb-password mongodb-migration-password redis-password; do
  chown 1000:999 "$shared" && chmod 440 "$shared"
done
chown 1000:1000 admin-password mongodb-uri mongodb-migration-uri redis-url
chmod 755 .
