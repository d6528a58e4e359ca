namespace Moat.Kernel.Namespaces;

/// <summary>An open file that stands for a namespace (ioctl_ns(2), setns(2)); it keeps it.</summary>
public interface INamespaceFile
{
    /// <summary>The namespace; null for those kinds of which there is one.</summary>
    INamespace? Namespace { get; }

    /// <summary>Its CLONE_NEW*.</summary>
    ulong CloneFlag { get; }
}
