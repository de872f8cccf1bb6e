/**
 * What the tests of every engine stand on: the catalogue of cases, the engines, and a place with sockets, pollers and foreign peers
 * that cleans up after itself.
 *
 * <p>A test that carries {@link io.trivet.contract.Case} and {@link io.trivet.contract.EveryEngine} runs once on each engine and leaves
 * its outcome in {@code core/target/engine-table.md}.
 */
package io.trivet.contract;
