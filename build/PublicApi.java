import com.sun.tdk.signaturetest.Setup;
import com.sun.tdk.signaturetest.SignatureTest;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.classfile.Attribute;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassBuilder;
import java.lang.classfile.ClassElement;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeModel;
import java.lang.classfile.FieldModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.ModuleAttribute;
import java.lang.classfile.attribute.RuntimeVisibleTypeAnnotationsAttribute;
import java.lang.reflect.AccessFlag;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.LogManager;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Compares the public API of a module with its checked-in description, by SigTest, which must be on the class path:
 *
 *     java -cp SIGTEST_JAR PublicApi.java check|check-exact|describe CLASSES DESCRIPTION WORK
 *
 * <p>CLASSES is the directory of the compiled module. Only packages that its module-info exports to every module count. WORK is a directory
 * for intermediate files.
 *
 * <ul>
 *   <li>`check` fails if code that compiles with the described API might not compile with the current one. It prints the changes, and writes
 *       one line to WORK/failure.txt, which says how to accept them. Additions pass, with a note.
 *   <li>`check-exact` also fails on additions: the description in a release is complete.
 *   <li>`describe` writes the description.
 * </ul>
 *
 * <p>The exit code is 0 in all these cases: exec-maven-plugin would print a stack trace. The build fails if failure.txt is there.
 */
final class PublicApi {
    private static final int CHANGES_PRINTED_MAX = 40;
    /** A line of SigTest's report: an error, or the warning of a changed constant. */
    private static final Pattern INCOMPATIBLE = Pattern.compile("\"(E[\\d.]+|W4\\.2) - (?<what>[^\"]+)\"\\s*:\\s*(?<member>.*)");
    private static final String ACCEPT = "build/accept-api";

    private final Path classes;
    private final Path description;
    private final Path work;

    private PublicApi(Path classes, Path description, Path work) {
        this.classes = classes;
        this.description = description;
        this.work = work;
    }

    public static void main(String[] args) throws IOException {
        // SigTest logs its arguments.
        LogManager.getLogManager().reset();
        PublicApi api = new PublicApi(Path.of(args[1]), Path.of(args[2]), Path.of(args[3]));
        Files.createDirectories(api.work);
        Files.deleteIfExists(api.work.resolve("failure.txt"));
        switch (args[0]) {
            case "check" -> api.check(false);
            case "check-exact" -> api.check(true);
            case "describe" -> api.describe(api.description);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private void check(boolean exact) throws IOException {
        if (!Files.isRegularFile(description)) {
            fail("The description of the public API is missing: create it with " + ACCEPT);
            return;
        }
        Path current = work.resolve("current.sig");
        describe(current);
        if (ownClasses(current).equals(ownClasses(description))) return;

        List<String> arguments = arguments(description);
        arguments.addAll(List.of("-Static", "-Backward", "-FormatHuman", "-IgnoreJDKClasses", "-CheckValue"));
        StringWriter report = new StringWriter();
        SignatureTest test = new SignatureTest();
        test.run(arguments.toArray(String[]::new), new PrintWriter(report), null);
        List<String> changes = incompatible(report.toString());
        if (test.isPassed() && changes.isEmpty()) {
            String additions = "The public API has additions that its description lacks: add them with " + ACCEPT;
            if (exact) {
                fail(additions);
            } else {
                System.err.println(additions);
            }
            return;
        }
        // Should SigTest fail without a change that we recognize, its whole report says why.
        if (changes.isEmpty()) changes = report.toString().lines().toList();
        changes.stream().limit(CHANGES_PRINTED_MAX).forEach(System.err::println);
        if (changes.size() > CHANGES_PRINTED_MAX) System.err.println("and " + (changes.size() - CHANGES_PRINTED_MAX) + " more");
        fail("The public API has changed incompatibly, see above: if this is intended, run " + ACCEPT);
    }

    /** Leaves the message to the build, which ends with it. */
    private void fail(String message) throws IOException {
        Files.writeString(work.resolve("failure.txt"), message);
    }

    /** Writes the signatures of all exported packages to `file`, without anything that is not public or protected. */
    private void describe(Path file) throws IOException {
        Path raw = work.resolve("raw.sig");
        StringWriter log = new StringWriter();
        Setup setup = new Setup();
        setup.run(arguments(raw).toArray(String[]::new), new PrintWriter(log), null);
        // SigTest drops a class that it cannot read, and still passes.
        if (!setup.isPassed() || log.toString().contains("Exception") || log.toString().contains("Error")) {
            throw new IllegalStateException("SigTest cannot describe the public API: " + log);
        }
        List<String> lines = Files.readAllLines(raw).stream()
                .filter(line -> !line.startsWith("hfds ") && !line.startsWith("hcls "))
                .toList();
        Files.writeString(file, String.join("\n", lines).stripTrailing() + "\n");
    }

    private List<String> arguments(Path file) throws IOException {
        Path copy = work.resolve("classes");
        Set<String> packages = copyExported(copy);
        List<String> arguments = new ArrayList<>(List.of("-BootCP", "25", "-Classpath", copy.toString(), "-FileName", file.toString(),
                "-ApiVersion", "1"));
        for (String exported : packages) {
            arguments.add("-PackageWithoutSubpackages");
            arguments.add(exported);
        }
        return arguments;
    }

    /**
     * Copies all classes without method bodies and type annotations, and without members that no other package can use. SigTest fails to
     * read some type annotations. Returns the packages that the module exports to everyone.
     */
    private Set<String> copyExported(Path copy) throws IOException {
        deleteClasses(copy);
        ClassFile format = ClassFile.of();
        ClassTransform members = PublicApi::copyVisible;
        ClassTransform bare = members
                .andThen(ClassTransform.transformingFields((to, element) -> {
                    if (!isTypeAnnotation(element)) to.with(element);
                }))
                .andThen(ClassTransform.transformingMethods((to, element) -> {
                    if (!isTypeAnnotation(element) && !(element instanceof CodeModel)) to.with(element);
                }));
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : (Iterable<Path>) files.filter(PublicApi::isClass)::iterator) {
                Path target = copy.resolve(classes.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.write(target, format.transformClass(format.parse(file), bare));
            }
        }
        ClassModel module = format.parse(classes.resolve("module-info.class"));
        return module.findAttribute(Attributes.module()).map(ModuleAttribute::exports).orElseThrow().stream()
                .filter(exports -> exports.exportsTo().isEmpty())
                .map(exports -> exports.exportedPackage().asSymbol().name())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static void deleteClasses(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) return;
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : (Iterable<Path>) files.filter(PublicApi::isClass)::iterator) Files.delete(file);
        }
    }

    private static boolean isClass(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".class") && !name.equals("module-info.class") && !name.equals("package-info.class");
    }

    private static void copyVisible(ClassBuilder to, ClassElement element) {
        boolean visible = switch (element) {
            case FieldModel field -> isVisible(field.flags().flags());
            case MethodModel method -> isVisible(method.flags().flags());
            case Attribute<?> attribute -> !isTypeAnnotation(attribute);
            default -> true;
        };
        if (visible) to.with(element);
    }

    private static boolean isVisible(Set<AccessFlag> flags) {
        return flags.contains(AccessFlag.PUBLIC) || flags.contains(AccessFlag.PROTECTED);
    }

    private static boolean isTypeAnnotation(Object element) {
        return element instanceof RuntimeVisibleTypeAnnotationsAttribute;
    }

    /** Returns the part of a description that does not depend on the JDK's version. */
    private static List<String> ownClasses(Path file) throws IOException {
        return Stream.of(Files.readString(file).split("\n\n"))
                .filter(block -> !block.matches("(?s)CLSS [^\n]* java\\.[\\w.$]+(<.*)?"))
                .toList();
    }

    /** Returns the incompatible changes of a report. A changed constant is one: users have compiled its old value into their code. */
    private static List<String> incompatible(String report) {
        return INCOMPATIBLE.matcher(report).results()
                .map(change -> "  " + change.group("what").strip() + ": " + change.group("member").strip())
                .toList();
    }
}
