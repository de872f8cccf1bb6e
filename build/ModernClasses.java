import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Gives the classes of a jar that were compiled for Java 5 or earlier the version of Java 8, and the stack maps which that version needs:
 * {@code java ModernClasses.java JAR}. The JVM verifies such old classes in a slow way, and keeps none of them in an ahead-of-time cache. The
 * instructions stay as they are.
 */
public final class ModernClasses {
    /** Major version from which classes have stack maps: Java 6. JVMS, section 4.10. */
    private static final int STACK_MAPS_MIN = 50;

    private ModernClasses() {}

    public static void main(String[] args) throws IOException {
        Path jar = Path.of(args[0]);
        Path result = jar.resolveSibling(jar.getFileName() + ".modern");
        int rewritten = 0;
        try (ZipFile in = new ZipFile(jar.toFile());
                URLClassLoader classes = new URLClassLoader(new URL[]{jar.toUri().toURL()});
                OutputStream file = Files.newOutputStream(result);
                ZipOutputStream out = new ZipOutputStream(file)) {
            ClassFile classFile = ClassFile.of(ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
                    ClassFile.ClassHierarchyResolverOption.of(ClassHierarchyResolver.ofResourceParsing(classes)
                            .orElse(ClassHierarchyResolver.defaultResolver())));
            for (ZipEntry entry : Collections.list(in.entries())) {
                byte[] content;
                try (InputStream stream = in.getInputStream(entry)) {
                    content = stream.readAllBytes();
                }
                if (entry.getName().endsWith(".class") && classFile.parse(content).majorVersion() < STACK_MAPS_MIN) {
                    content = modern(classFile, classFile.parse(content));
                    rewritten++;
                }
                ZipEntry copy = new ZipEntry(entry.getName());
                copy.setTimeLocal(entry.getTimeLocal()); // a build must be reproducible
                out.putNextEntry(copy);
                out.write(content);
                out.closeEntry();
            }
        }
        Files.move(result, jar, StandardCopyOption.REPLACE_EXISTING);
        System.out.println(rewritten + " old classes have a newer version now");
    }

    private static byte[] modern(ClassFile classFile, ClassModel old) {
        return classFile.transformClass(old, ClassTransform.transformingMethodBodies((code, element) -> code.with(element))
                .andThen(ClassTransform.endHandler(builder -> builder.withVersion(ClassFile.JAVA_8_VERSION, 0))));
    }
}
