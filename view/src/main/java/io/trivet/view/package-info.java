/** The live view of a server: see {@link io.trivet.view.View}. */
@NullMarked
package io.trivet.view;

import org.jspecify.annotations.NullMarked;
