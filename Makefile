#===----------------------------------------------------------------------===#
# Part of the swift-broadcast project. Licensed under Apache License v2.0.
# See LICENSE for details.
#===----------------------------------------------------------------------===#

.DEFAULT_GOAL := help
.PHONY: help run test lint format docs bench install clean examples-test orders push-events todos chat users

help: ## Shows this list.
	@sed -nE 's/^([a-z-]+): ## (.*)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  make %-13s %s\n", $$1, $$2 }'

run: ## Installs what is missing and runs the server on memory. ARGS="--port 9000" adds options.
	@scripts/run $(ARGS)

test: ## Installs what is missing and passes all tests. STEPS="lint tests" runs some of them.
	@scripts/test $(STEPS)

lint: ## Checks the format of the sources.
	@scripts/lint

format: ## Formats the sources in place.
	@scripts/lint --fix

docs: ## Builds the documentation into .build/docs.
	@scripts/docs

bench: ## Measures the fan-out, a server under load, and the brokers; writes Benchmarks/RESULTS.md and a picture.
	@scripts/bench $(ARGS)

orders: ## Example: a page that shows the rows of a PostgreSQL table as they change. PORT=9000 is where.
	@scripts/example orders

push-events: ## Example: push messages by HTTP, and get them on a WebSocket.
	@scripts/example push-events

todos: ## Example: todos, whose URLs answer HTTP, and stream every change as WebSockets.
	@scripts/example todos

chat: ## Example: a chat on three servers behind one address.
	@scripts/example chat

users: ## Example: users and addresses, by requests over one WebSocket.
	@scripts/example users

examples-test: ## Installs what is missing and tests the examples.
	@scripts/test examples

install: ## Copies the command to PREFIX/bin (PREFIX is /usr/local by default).
	@scripts/install

clean: ## Removes everything that was built.
	rm -rf .build Benchmarks/.build Examples/.build
