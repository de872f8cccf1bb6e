/**
 * The contract tests' infrastructure: the catalogue of cases, the engines, and {@link io.trivet.contract.Lab}, a fixture that opens
 * sockets, pollers and foreign peers and closes them at the end of the test.
 *
 * <p>A test method with {@link io.trivet.contract.EveryEngine} runs once on each engine. If it also has {@link io.trivet.contract.Case},
 * its outcomes appear in {@code core/target/engine-table.md}.
 */
package io.trivet.contract;
