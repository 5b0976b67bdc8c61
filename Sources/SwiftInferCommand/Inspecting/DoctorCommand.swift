// `swiftinfer doctor`: prints what this program finds on this machine.

import ArgumentParser
import Foundation
import InferCatalogue
import InferEvaluation
import InferSupport
import InferTensors

#if Vulkan
import InferVulkan
#endif

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Print what this program finds on this machine: processor, kernels, memory, models."
    )

    @Flag(help: "Print one JSON object.")
    var json = false

    /// A model of the catalogue.
    private struct ModelStatus: Encodable {
        let name: String
        /// The path of its file; nil if it has not been fetched.
        let path: String?
        let present: Bool
        /// The size of the file; nil if only the hub knows.
        let bytes: Int?
    }

    private struct Report: Encodable {
        let version: String
        let machine: MachineDescription
        /// The instruction set of the kernels that the CPU backend chose.
        let kernels: String
        /// What is wrong with them; nil if nothing is.
        let warning: String?
        /// The BLAS library, or a text that says why there is none.
        let blas: String
        let threads: Int
        /// The Vulkan devices, or a text that says why there are none.
        let vulkan: [String]
        let modelFolder: String
        let models: [ModelStatus]

        enum CodingKeys: String, CodingKey {
            case version, machine, kernels, warning, blas, threads, vulkan, models
            case modelFolder = "model_folder"
        }
    }

    func run() throws {
        let backend = try CPUBackend(threads: nil)
        let report = Report(
            version: Version.description,
            machine: .current(),
            kernels: backend.kernels.name,
            warning: backend.kernels.warning,
            blas: blasLibrary(),
            threads: backend.threads,
            vulkan: vulkanDevices(),
            modelFolder: ModelFolder.user.path,
            models: try Catalogue.embedded().entries.map(status)
        )
        if json {
            try Output.json(report)
        } else {
            Output.standardOutput(text(report))
        }
    }

    private func blasLibrary() -> String {
        do throws(InferenceError) {
            return try BLASLibrary.system.get().description + "; --kernels \(BLASLibrary.kernelName) uses it"
        } catch {
            return "none: \(error.message)"
        }
    }

    private func vulkanDevices() -> [String] {
        #if Vulkan
        do throws(InferenceError) {
            let devices = try VulkanDevice.all().map { device in
                "\(device.name) (\(device.kind.rawValue), \(device.driver)), \(Format.bytes(device.memory))"
                    + (device.obstacle.map { "; cannot be used: \($0)" } ?? "")
            }
            return devices.isEmpty ? ["no device"] : devices
        } catch {
            return ["none: \(error.message)"]
        }
        #else
        return ["no backend in this build"]
        #endif
    }

    private func status(of entry: Catalogue.Entry) -> ModelStatus {
        let path = entry.path()
        return ModelStatus(name: entry.name, path: path, present: path != nil, bytes: entry.bytes)
    }

    private func text(_ report: Report) -> String {
        let machine = report.machine
        let processors =
            "\(machine.usableProcessors) of \(machine.processors)"
            + (machine.processorQuota.map { ", limited to the time of \(Format.decimal($0.value, 1))" } ?? "")
        let memory = machine.memory.map { total in
            Format.bytes(total) + (machine.availableMemory.map { ", \(Format.bytes($0)) available" } ?? "")
                + (machine.memoryLimit.map { ", limited to \(Format.bytes($0))" } ?? "")
        }
        let models = report.models.filter(\.present).map { ($0.name, $0.path) }
        let others = report.models.count - models.count
        return Format.table(
            [
                ("program", report.version),
                ("system", machine.system),
                ("processor", machine.processor ?? "unknown"),
                ("extensions", machine.features.isEmpty ? "none known" : machine.features.joined(separator: " ")),
                ("processors", processors),
                ("kernels", "\(report.kernels), \(report.threads) threads"),
                ("warning", report.warning),
                ("blas", report.blas),
                ("memory", memory ?? "unknown"),
            ] + report.vulkan.map { ("vulkan", $0) } + [("models in", report.modelFolder)]) + "\n"
            + Format.table(models) + "\(others) other models can be fetched; swiftinfer list shows them\n"
    }
}
