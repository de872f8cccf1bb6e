/** Metrics of a server for Micrometer, see {@link io.trivet.micrometer.TrivetMetrics}. */
@org.jspecify.annotations.NullMarked
package io.trivet.micrometer;
